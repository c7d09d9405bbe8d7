"""The goals of the dashboard, each measured beside what it is held against, in one run.

Run it from a checkout with the dev extra installed and a C compiler:

    python bench/dashboard.py [--rounds 5] [--seconds 20] [--quick] [--only start,crowd,keys,bytes,memory]

start    what watching.py measures: first paint and first frame beside bare Python and an empty Textual app, CPU at
         1 Hz for 8 GPUs beside nvitop on the same stub driver, bytes with sparklines and on a slow link
crowd    CPU of the Fleet screen at 1 Hz with 512 and 10 000 GPUs, of which every figure changes, beside a DataTable
         of the same 512 rows and columns of which every cell that reads differently is updated (see crowd.py)
keys     from a key to the cursor's new place on the screen, on the dashboard that records and scrapes at 1 Hz: 200
         keys at moments spread over the ticks
bytes    what is written while paused, and a tick when only clocks and ages move (the tests' calm scene, ten ticks
         a second)
memory   Rss after a day of the demo's box, a tick in 15 seconds, was replayed to its end

Programs take turns, round by round, in 120×40 terminals of their own. Medians are printed, and medians of the rounds'
ratios: the machine may be shared. With --quick a look takes three minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import watching
from bench.stub_box import ROOT, StubBox, stub_box
from bench.terminal import Terminal

PARTS = ("start", "crowd", "keys", "bytes", "memory")
SETTLE_S = 6.0
CURSOR = "▌".encode()


def tell(words: str, found: float, goal: float, unit: str = "") -> None:
    met = "met" if found <= goal else f"missed by {found / goal - 1:.0%}" if goal else "missed"
    print(f"{words:<58}{found:>10.4g} {unit:<4} goal {goal:g}: {met}", flush=True)


def start(box: StubBox, rounds: int, seconds: float) -> None:
    seen = watching.measured(box, rounds, seconds)
    watching.report(seen)
    for name, goal in (("tokwatch", 8000.0), ("tokwatch --slow-link", 2000.0)):
        tell(f"bytes of {name}", statistics.median(run.bytes_s or 0.0 for run in seen[name]), goal, "B/s")


def crowd(box: StubBox, rounds: int, seconds: float) -> None:
    shares: dict[tuple[str, int], list[float]] = {("fleet", 512): [], ("table", 512): [], ("fleet", 10_000): []}
    for _ in range(rounds):
        for kind, gpus in shares:
            command = [sys.executable, str(ROOT / "bench" / "crowd.py"), kind, str(gpus)]
            with Terminal(command, box.environment) as terminal:
                terminal.until(b"SERVES")
                terminal.read(SETTLE_S)
                before_s = terminal.cpu_s()
                terminal.read(seconds)
                shares[kind, gpus].append((terminal.cpu_s() - before_s) / seconds)
    for (kind, gpus), found in shares.items():
        print(f"{kind} of {gpus}: CPU {statistics.median(found):.2%}")

    def ratio(ours: tuple[str, int], theirs: tuple[str, int]) -> float:
        return statistics.median(a / b for a, b in zip(shares[ours], shares[theirs], strict=True))

    tell("CPU of 512 GPUs / DataTable of 512 rows", ratio(("fleet", 512), ("table", 512)), 0.3)
    tell("CPU of 10 000 GPUs / 512 GPUs", ratio(("fleet", 10_000), ("fleet", 512)), 1.5)


def keys(box: StubBox, number: int) -> None:
    with Terminal(box.tokwatch(), box.environment) as terminal:
        terminal.until(b"LIVE")
        terminal.read(SETTLE_S)
        found = []
        for turn in range(number):
            # The cursor goes down three rows and up three, so that each key moves it.
            took_s = terminal.answered(b"j" if turn % 6 < 3 else b"k", CURSOR)
            if took_s is None:
                raise SystemExit("a key moved no cursor")
            found.append(took_s * 1000)
            terminal.read(0.037)
    tell("key to redraw while collecting, p95", statistics.quantiles(found, n=20)[-1], 50.0, "ms")
    print(f"median {statistics.median(found):.1f} ms, most {max(found):.1f} ms, of {number} keys")


def quiet_bytes(box: StubBox, seconds: float) -> None:
    with Terminal(box.tokwatch(), box.environment) as terminal:
        terminal.until(b"LIVE")
        terminal.read(SETTLE_S)
        terminal.type(b" ")
        terminal.until(b"PAUSED")
        terminal.read(2.0)
        tell("bytes while paused", len(terminal.read(seconds)) / seconds, 0.0, "B/s")
    scene = [sys.executable, "-m", "tests.dashboard.pty_app", "calm"]
    with Terminal(scene, {**box.environment, "PWD": str(ROOT)}) as terminal:
        terminal.until(b"14:03:30")
        # Three cells of the strip over time: each moves every 109 ticks, and costs as much as 60 clocks.
        written = terminal.read(32.7)
        ticks = len(re.findall(rb"14:\d\d:\d\d", written))
        tell("bytes a tick when only clocks and ages move", len(written) / ticks, 150.0, "B")


def memory(box: StubBox, hours: float) -> None:
    store = box.folder / "day.db"
    print(f"simulating {hours:g} hours …", file=sys.stderr)
    asyncio.run(_simulate(store, hours))
    command = box.tokwatch("replay", store, "--speed", "3600")
    with Terminal(command, box.environment) as terminal:
        terminal.until(b"REPLAY")
        terminal.read(hours + 10.0)  # an hour of it a second
        rss_mb, _ = terminal.memory_mb()
    tell(f"Rss after replaying {hours:g} hours", rss_mb, 70.0, "MB")


async def _simulate(store: Path, hours: float) -> None:
    from tokwatch.demo.box import open_demo
    from tokwatch.demo.past import simulate_past
    from tokwatch.feeds.clock import SystemClock

    demo = await open_demo(SystemClock())
    try:
        await simulate_past(demo, store, timezone="UTC", hours=hours)
    finally:
        await demo.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--quick", action="store_true", help="two rounds of five seconds and three hours, for a look")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    options = parser.parse_args()
    rounds, seconds = (2, 5.0) if options.quick else (options.rounds, options.seconds)
    wanted = options.only.split(",")
    with stub_box() as box:
        if "start" in wanted:
            start(box, rounds, seconds)
        if "crowd" in wanted:
            crowd(box, rounds, seconds)
        if "keys" in wanted:
            keys(box, 60 if options.quick else 200)
        if "bytes" in wanted:
            quiet_bytes(box, seconds)
        if "memory" in wanted:
            memory(box, 3.0 if options.quick else 24.0)


if __name__ == "__main__":
    main()
