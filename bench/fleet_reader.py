"""The reader that `fleet_recording.py` measures, in a process of its own: what it took and how late it was, as JSON.

    python bench/fleet_reader.py URL --server-pid PID [--store FILE] [--looked] [--edge] [--plain]

Everything is of the measured stretch, which begins when every host has been read. "own": the longest that our own code
ran without a look at the sockets, in CPU time, so that it does not depend on who else is on the machine. "stall": the
longest that the event loop was away by the clock, "waited" the share of the time in which another process had our
core. "lag": of a page from when it was due to when it was read, of a lane from when a line was written to when it was
counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import selectors
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.processes import READER_CORE, cpu_s, waited_s
from collectors.fleet.lags import Lags
from collectors.target_lists import parse_list
from tokwatch.commands.fleet_process import read_many_hosts
from tokwatch.commands.settings import keep_what_is_loaded
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.direct_recording import DirectRecording
from tokwatch.ledger.bookkeeper import Instant
from tokwatch.ledger.entries import Run
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.store.fleet.writer import FleetWriter

_QUARTER_MS: Final = 900_000
_SETTLE_S: Final = 4.0  # after the last host was met
_LONGEST_START_S: Final = 180.0


class MeteredSelector(selectors.DefaultSelector):
    """Knows the longest time of this thread between two looks at the sockets."""

    longest_s = 0.0
    _since_s: float | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._since_s is not None:
            self.longest_s = max(self.longest_s, time.thread_time() - self._since_s)
        found = super().select(timeout)
        self._since_s = time.thread_time()
        return found


class LaneLags:
    """Of lines that carry the time at which they were written; server and reader have one clock."""

    def __init__(self, offset_ms: int) -> None:
        self.lags = Lags()
        self._offset_ms = offset_ms

    def hello(self, host: str, hello: Hello, at_ms: int) -> None:
        """Has no time."""

    def report(self, host: str, report: Report, at_ms: int) -> None:
        self.lags.add(max(0, at_ms - self._offset_ms - report.wall_ms) / 1000)

    def failed(self, host: str, problem: str, at_ms: int) -> None:
        """Is counted by the source."""


class Shifted:
    """The clock, set so that a quarter hour ends in the middle of the stretch, or far from it."""

    def __init__(self, offset_ms: int) -> None:
        self.offset_ms = offset_ms

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000 + self.offset_ms, time.clock_gettime_ns(time.CLOCK_BOOTTIME))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def measured(options: argparse.Namespace, listed: str, selector: MeteredSelector) -> dict[str, float | None]:
    targets = parse_list(listed)
    start_s = _SETTLE_S + len(targets) / 95  # a hundred are met in a second
    now_ms = time.time_ns() // 1_000_000
    middle_ms = now_ms + round(1000 * (start_s + options.seconds / 2))
    clock = Shifted(-middle_ms % _QUARTER_MS if options.edge else _QUARTER_MS // 2 - middle_ms % _QUARTER_MS)
    before_kib = _rss_kib()
    source = DirectSource(targets, clock=clock, fast=not options.plain)
    transport, lane_lags, stop = source.transport, LaneLags(clock.offset_ms), asyncio.Event()
    writer = FleetWriter(options.store) if options.store else None
    if writer is not None:
        writer.begin(Run(0, "recorded", "bench", "", "bench", "UTC", now_ms))
        recording = asyncio.create_task(DirectRecording(source, writer, clock).run(stop))
    if source.lanes:
        source.listen(lane_lags)
    keep_what_is_loaded()
    source.start()
    began = time.monotonic()
    await asyncio.sleep(start_s)
    while len([*source.meter.hosts]) < len(targets) and time.monotonic() - began < _LONGEST_START_S:  # noqa: ASYNC110
        await asyncio.sleep(1.0)

    def said() -> int:
        return transport.pages + sum(lane.reports for lane in source.lanes.values())

    lags = lane_lags.lags if source.lanes else transport.lags
    for _ in range(2):
        lags.turn()
    selector.longest_s = stall_s = 0.0
    pages, skipped, failures = said(), transport.skipped, transport.failures
    own_s, server_s = time.process_time(), cpu_s(options.server_pid)
    waits_s, began = waited_s(os.getpid()), time.monotonic()
    looking = asyncio.create_task(_look(source)) if options.looked else None
    while time.monotonic() - began < options.seconds:
        slept = time.monotonic()
        await asyncio.sleep(0.02)
        stall_s = max(stall_s, time.monotonic() - slept - 0.02)
    took_s, own_s = time.monotonic() - began, time.process_time() - own_s
    count = said() - pages
    found = {
        "hosts": len(targets),
        "pages_s": count / took_s,
        "us": 1e6 * own_s / max(1, count),
        "share": own_s / took_s,
        "lag_p50_ms": lags.quantile_ms(0.5),
        "lag_p99_ms": lags.quantile_ms(0.99),
        "own_ms": 1000 * selector.longest_s,
        "stall_ms": 1000 * stall_s,
        "skipped": transport.skipped - skipped,
        "failures": transport.failures - failures + sum(not lane.is_connected for lane in source.lanes.values()),
        "waited": (waited_s(os.getpid()) - waits_s) / took_s,
        "server": (cpu_s(options.server_pid) - server_s) / took_s,
        "kib_per_host": (_rss_kib() - before_kib) / len(targets),
        "mib": _rss_kib() / 1024,
    }
    if looking is not None:
        looking.cancel()
    if writer is not None:
        stop.set()
        await recording
        if not await asyncio.to_thread(writer.close, 60.0):
            raise RuntimeError(f"not all was written: {writer.problem}")
    await source.close()
    return found


async def _look(source: DirectSource) -> None:
    """As a screen does."""
    while True:
        await asyncio.sleep(1 - time.time() % 1)
        await source.now()


def _rss_kib() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * (resource.getpagesize() // 1024)


def main(options: argparse.Namespace) -> None:
    os.sched_setaffinity(0, {READER_CORE})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    read_many_hosts()
    with urllib.request.urlopen(options.url, timeout=30) as answer:
        listed = answer.read().decode()
    selector = MeteredSelector()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        print(json.dumps(runner.run(measured(options, listed, selector))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="a list of targets")
    parser.add_argument("--server-pid", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--plain", action="store_true", help="without the fast lane")
    parser.add_argument("--edge", action="store_true", help="with the edge of a quarter hour in the middle")
    parser.add_argument("--looked", action="store_true", help="looked at each second")
    main(parser.parse_args())
