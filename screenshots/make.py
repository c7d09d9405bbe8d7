"""Makes the pictures of the documentation from the real dashboard: `python screenshots/make.py [FOLDER]`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from screenshots.picture import picture, png  # noqa: E402  needs the path above
from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed, down_server  # noqa: E402
from tokwatch.dashboard.app import TokwatchApp  # noqa: E402


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its file name, the app, the terminal's columns and rows, the keys pressed before it is taken."""

    name: str
    app: Callable[[], TokwatchApp]
    size: tuple[int, int]
    keys: tuple[str, ...] = ()


def frames() -> Iterator[Shot]:
    """The pictures to take."""

    def now() -> float:
        return NOW_MS / 1000

    def box() -> TokwatchApp:
        return TokwatchApp(FakeFeed([BOX]), now=now)

    yield Shot("fleet-120x40", box, (120, 40))
    yield Shot("fleet-80x24", box, (80, 24))
    yield Shot("fleet-light-120x40", box, (120, 40), ("t",))
    yield Shot("sources-120x40", lambda: TokwatchApp(FakeFeed([down_server()]), now=now), (120, 40), ("6",))


def main() -> None:
    """Writes SVG and PNG of every frame."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"
    for shot in frames():
        drawn = asyncio.run(picture(shot.app, shot.size, shot.keys))
        folder.joinpath(f"{shot.name}.svg").write_text(drawn, encoding="utf-8")
        folder.joinpath(f"{shot.name}.png").write_bytes(png(drawn))


if __name__ == "__main__":
    main()
