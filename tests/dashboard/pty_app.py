"""Runs the dashboard on a terminal of its own, for tests: `python -m tests.dashboard.pty_app SCENE [FLAG…]`.

Flags: "ascii", "slow-link", and "uncontrolled": the terminal is not the one that controls its session. The scene
"hostile walk" walks by itself, in the folder that the flag "in=FOLDER" names.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import termios
from pathlib import Path

from msgspec.structs import replace

from tests.dashboard import hostile_walk
from tests.dashboard.hostile import STEERING, hostile_box
from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed, gpu
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.terminal import detect
from tokwatch.ledger.snapshot import Figure, Snapshot


def ticking(tick: int, *, busy: bool) -> Snapshot:
    """The box `tick` seconds later; busy: with every figure of every row changed."""
    later = NOW_MS + 1000 * tick
    box = replace(BOX, tick_ms=later, wall_ms=later, strip_from_ms=BOX.strip_from_ms + 1000 * tick)
    if not busy:
        return replace(box, recorded_s=BOX.recorded_s + tick)
    rows = tuple(
        replace(
            gpu(i),
            tok_s=Figure(1500 + (37 * tick + 11 * i) % 300),
            spark=tuple(1500.0 + (tick * 53 + 31 * i + 97 * k) % 700 for k in range(12)),
            tok_per_j=Figure(2.5 + (tick * 7 + i) % 10 / 10),
            usd_per_m_output=Figure(0.4 + (tick * 3 + i) % 10 / 100),
            idle_usd_today=Figure(1.31 + tick / 100),
            power_w=Figure(500 + (tick * 41 + 17 * i) % 190),
            memory_used_gib=Figure(60 + (tick + i) % 15),
            temperature_c=Figure(60 + (tick + i) % 9),
        )
        for i in range(8)
    )
    totals = replace(
        BOX.totals,
        tok_s=Figure(12_000 + tick * 37 % 900),
        tok_s_spark=tuple(11_000.0 + (tick + k) * 353 % 1900 for k in range(60)),
        tok_per_j=Figure(3 + tick % 10 / 50),
        power_w=Figure(3800 + tick * 17 % 90),
        idle_usd_today=Figure(31.10 + tick / 100),
    )
    return replace(box, recorded_s=BOX.recorded_s + tick, gpus=rows, totals=totals)


async def feed_of(scene: str) -> FakeFeed:
    """The feed of a scene; ticking scenes send a Snapshot every tenth of a second that is a second later."""
    if scene == "hostile":
        return FakeFeed([hostile_box(STEERING)])
    feed = FakeFeed([ticking(0, busy=False)])
    if scene == "paused":
        feed.send(replace(BOX, mode="paused"))
    elif scene in ("busy", "calm"):
        feed.clock = asyncio.create_task(_tick(feed, busy=scene == "busy"))
    elif scene == "crash":
        raise OSError("the driver is gone")
    return feed


async def _tick(feed: FakeFeed, *, busy: bool) -> None:
    tick = 0
    while True:
        await asyncio.sleep(0.1)
        tick += 1
        feed.send(ticking(tick, busy=busy))


if __name__ == "__main__":
    scene, *flags = sys.argv[1:]
    if "uncontrolled" not in flags:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that closing the other side hangs up on us, as closing a window does
    here = detect(os.environ, ascii_only=True if "ascii" in flags else None, slow_link="slow-link" in flags)
    if scene == "hostile walk":
        folder = next(flag.removeprefix("in=") for flag in flags if flag.startswith("in="))
        sys.exit(hostile_walk.run(here, Path(folder)))
    app = TokwatchApp(lambda: feed_of(scene), terminal=here, now=lambda: NOW_MS / 1000)
    result = app.run()
    print(f"result={result}", flush=True)
    sys.exit(app.return_code)
