"""The pictures of the documentation say what the screens say today."""

from __future__ import annotations

import re
from pathlib import Path

from screenshots.make import FLEET_SHOTS, ROOT, SHOTS, taken, taken_of_fleet
from screenshots.picture import described, text_of
from screenshots.session import recorded

FOLDER = ROOT / "screenshots"
_PORT = re.compile(r"127\.0\.0\.1:\d{5}")  # free ones of the machine that took the picture
_ITSELF = re.compile(r"TOKWATCH ITSELF.*", re.DOTALL)  # what this machine's tokwatch costs is no part of the session


async def test_every_picture_says_what_its_screen_says(tmp_path: Path) -> None:
    different = []
    async with recorded(tmp_path) as session:
        async for shot, app in taken(session, tmp_path):
            picture = described(FOLDER.joinpath(f"{shot.name}.svg").read_text(encoding="utf-8"))
            if _masked(picture) != _masked(text_of(app)):
                different.append(shot.name)
    assert different == [], "run python screenshots/make.py, look at the pictures, commit them"


async def test_every_picture_of_the_fleet_says_what_its_screen_says() -> None:
    different = [
        shot.name
        async for shot, app in taken_of_fleet()
        if described(FOLDER.joinpath(f"{shot.name}.svg").read_text(encoding="utf-8")) != text_of(app)
    ]
    assert different == [], "run python screenshots/make.py, look at the pictures, commit them"


def _masked(text: str) -> str:
    return _PORT.sub("127.0.0.1:00000", _ITSELF.sub("", text))


def test_every_picture_is_there_twice_and_none_is_left_over() -> None:
    kept = {path.name for path in FOLDER.iterdir() if path.suffix in (".svg", ".png")}
    assert kept == {f"{shot.name}{suffix}" for shot in (*SHOTS, *FLEET_SHOTS) for suffix in (".svg", ".png")}
