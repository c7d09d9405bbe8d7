"""Makes the pictures of the documentation from the real dashboard on the demo: `python screenshots/make.py [FOLDER]`.

Three simulated hours are recorded through the path a real box takes, then the dashboard goes live on them. Needs the
dev extra and, for the PNGs, Chromium.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from screenshots.picture import picture, png  # noqa: E402  needs the path above
from tokwatch.dashboard.app import TokwatchApp  # noqa: E402
from tokwatch.demo.box import DemoBox, open_demo  # noqa: E402
from tokwatch.demo.past import simulate_past  # noqa: E402
from tokwatch.feeds import Feed  # noqa: E402
from tokwatch.feeds.attach import Recordable, record_and_show  # noqa: E402
from tokwatch.feeds.clock import SystemClock  # noqa: E402
from tokwatch.feeds.start import begin  # noqa: E402
from tokwatch.store.lock import RecorderLock  # noqa: E402

TIMEZONE = "UTC+00:00"
SETTLED_TICKS = 3  # live ones after the simulated hours


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
    Shot("replay-120x40", (120, 40), ("space", *["shift+left"] * 6)),
    Shot("money-120x40", (120, 40), ("4",)),
    Shot("sources-120x40", (120, 40), ("6",)),
)


def live_feed(box: DemoBox, store: Path) -> Callable[[], Awaitable[Feed]]:
    """Opens a recorder of the simulated box."""

    async def open_feed() -> Feed:
        lock = RecorderLock.acquire(store, exclusive_host=False)
        assert lock is not None, "the picture before this one still records"
        wanted = Recordable(
            store,
            begin=lambda: begin(store, box.identity(TIMEZONE), box.config, kind="simulated"),
            open_sources=lambda: box.open_sources(box.config.interval_s),
            interval_s=box.config.interval_s,
        )
        return await record_and_show(wanted, lock, box.clock)

    return open_feed


async def settled(pilot: Pilot[Any]) -> None:
    """Until some live ticks were drawn."""
    app = pilot.app
    assert isinstance(app, TokwatchApp)
    seen: set[int] = set()
    while len(seen) < SETTLED_TICKS:
        await asyncio.sleep(0.1)
        if app.frame.snapshot is not None:
            seen.add(app.frame.snapshot.tick_ms)


async def take_all(folder: Path) -> None:
    """Write SVG and PNG of every shot."""
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch, "demo.db")
        box = await open_demo(SystemClock())
        try:
            await simulate_past(box, store, timezone=TIMEZONE)
            for shot in SHOTS:
                drawn = await picture(lambda: TokwatchApp(live_feed(box, store)), shot.size, shot.keys, settled)
                folder.joinpath(f"{shot.name}.svg").write_text(drawn, encoding="utf-8")
                folder.joinpath(f"{shot.name}.png").write_bytes(png(drawn))
        finally:
            await box.close()


if __name__ == "__main__":
    asyncio.run(take_all(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"))
