"""Makes the pictures of the documentation from the real dashboard on a recorded demo session.

    python screenshots/make.py [FOLDER]

Needs the dev extra and, for the PNGs, Chromium. `tests/test_screenshots.py` fails when a screen no longer says what its
picture says: the text of a picture is kept in the SVG's description.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from screenshots.picture import drawn, png, text_of  # noqa: E402  needs the path above
from screenshots.session import LIVE_TICKS, Session, recorded  # noqa: E402
from tests.dashboard.fleet.scene import app_of, fleet_of  # noqa: E402
from tests.dashboard.waiting import all_answered  # noqa: E402
from tokwatch.dashboard.app import TokwatchApp  # noqa: E402
from tokwatch.dashboard.fleet.app import FleetApp  # noqa: E402

WAITS_AT_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its file name, the terminal's columns and rows, the keys pressed before it is taken."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()


SHOTS = (
    Shot("fleet-120x40", (120, 40)),
    Shot("fleet-80x24", (80, 24)),
    Shot("fleet-light-120x40", (120, 40), ("t",)),
    Shot("gpu-120x40", (120, 40), (*["down"] * 6, "enter", "space", *["shift+left"] * 2)),
    Shot("servers-120x40", (120, 40), ("2",)),
    Shot("frontier-120x40", (120, 40), ("3",)),
    Shot("money-120x40", (120, 40), ("4",)),
    Shot("what-if-120x40", (120, 40), ("w", "minus", "minus", "minus")),
    Shot("alerts-120x40", (120, 40), ("5",)),
    Shot("sources-120x40", (120, 40), ("6",)),
    Shot("inspect-120x40", (120, 40), ("i",)),
    Shot("replay-120x40", (120, 40), ("space", *["shift+left"] * 6)),
)

FLEET_SHOTS = (  # on a simulated fleet, at one instant
    Shot("hosts-120x40", (120, 40)),
    Shot("models-120x40", (120, 40), ("2",)),
    Shot("sites-120x40", (120, 40), ("3",)),
)


async def taken_of_fleet() -> AsyncIterator[tuple[Shot, FleetApp]]:
    """Every shot of the fleet's screens."""
    for shot in FLEET_SHOTS:
        app = app_of(fleet_of())
        async with app.run_test(size=shot.size) as pilot:
            await pilot.pause()
            await pilot.press(*shot.keys)
            await pilot.pause()
            yield shot, app


async def taken(session: Session, folder: Path) -> AsyncIterator[tuple[Shot, Any]]:
    """Every shot with the app as it stands then."""
    for shot in SHOTS:
        session.clock.turn_back()
        app = TokwatchApp(session.live_feed(folder / f"{shot.name}.db"), now=session.wall_s)
        async with app.run_test(size=shot.size) as pilot:
            await _settled(pilot, app, session)
            for key in shot.keys:
                await pilot.press(key)
                await _at_rest(pilot, app)
            yield shot, app


async def _settled(pilot: Pilot[Any], app: TokwatchApp, session: Session) -> None:
    """Until so many live ticks were drawn."""
    seen: set[int] = set()
    async with asyncio.timeout(WAITS_AT_MOST_S):
        while len(seen) < LIVE_TICKS:
            await pilot.pause()
            snapshot = app.frame.snapshot
            if snapshot is not None and not app.frame.kept and snapshot.tick_ms not in seen:
                seen.add(snapshot.tick_ms)
                if len(seen) < LIVE_TICKS:
                    await session.tick()
            await asyncio.sleep(0)
    await _at_rest(pilot, app)


async def _at_rest(pilot: Pilot[Any], app: TokwatchApp) -> None:
    """Until what a key asked of the past is there and drawn."""
    await all_answered(app)
    feed = app.ready_feed()
    assert feed is not None
    await feed.window(0, 1)  # answered after everything that was asked of the transport before it
    await pilot.pause()
    await all_answered(app)
    await pilot.pause()


async def take_all(folder: Path) -> None:
    """Write SVG and PNG of every shot."""

    def write(shot: Shot, app: TokwatchApp | FleetApp) -> None:
        picture = drawn(app, text_of(app))
        folder.joinpath(f"{shot.name}.svg").write_text(picture, encoding="utf-8")
        folder.joinpath(f"{shot.name}.png").write_bytes(png(picture))
        sys.stderr.write(f"{shot.name}\n")

    async for of_fleet, fleet_app in taken_of_fleet():
        write(of_fleet, fleet_app)
    with tempfile.TemporaryDirectory() as scratch:
        async with recorded(Path(scratch)) as session:
            async for shot, app in taken(session, Path(scratch)):
                write(shot, app)


if __name__ == "__main__":
    asyncio.run(take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"))
