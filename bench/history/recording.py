"""Records a box second by second into a store, hours in minutes: real collector, page readers, bookkeeper and writer.

The clock is turned by hand, and pages come without HTTP. Ticks are as late, and readings as scattered, as on a box that
is not busy: a store must keep that, where servers that round to a grid do not.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from collectors.nvml.collector import NvmlCollector
from collectors.page_reader import PageReader
from collectors.readings import HostReading, ServerReading
from collectors.scrape import Page
from tokwatch.config import Config
from tokwatch.demo.driver import SimulatedDriver
from tokwatch.demo.scenario import Scenario
from tokwatch.demo.server_page import facts_of, page_of
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import Box, begin
from tokwatch.ledger.bookkeeper import Instant, Sightings
from tokwatch.ledger.entries import TickRecord

_NS_PER_S = 1_000_000_000
_AHEAD = 64  # ticks that may wait for the writer
_WRITER_S = 60.0
_LATE_S, _SCATTER_S = 0.0005, 0.004  # of ticks and of pages, means of exponential distributions
_MEMORY_BYTES = 2 << 40
_FIRST_S = 8  # servers start at second 0: they are there when the recorder comes

PagesOf = Callable[[int, float, float], tuple[float, bytes] | None]
"""(server, from_s, to_s) → the last page in (from_s, to_s] and its moment."""


def demo_pages(scenario: Scenario) -> PagesOf:
    """Pages of the scenario's own servers, one a second, each server's at a phase of its own."""
    booted_s = _booted_s(scenario)
    chance = random.Random("scatter of pages")

    def pages(server: int, from_s: float, to_s: float) -> tuple[float, bytes] | None:
        phase_s = 0.15 + 0.2 * server
        at_s = int(to_s - phase_s) + phase_s + chance.expovariate(1 / _SCATTER_S)
        page = page_of(scenario.servers[server], at_s, booted_s) if from_s < at_s <= to_s else None
        return None if page is None else (at_s, page.body)

    return pages


async def record(
    scenario: Scenario, pages: PagesOf, store: Path, seconds: int, *, each: Callable[[TickRecord], None] | None = None
) -> None:
    """A tick at each full second until its end; `each` is given every record as it goes to the writer.

    Nothing that is recorded reaches back to before the scenario's beginning, or on to its end.
    """
    clock = _Clock(round(_booted_s(scenario) * 1000), (_FIRST_S - 1) * _NS_PER_S)
    room = threading.Semaphore(_AHEAD)
    box = Box(scenario.host, "bench", scenario.timezone)
    begun = begin(
        store, box, Config(), kind="simulated", started_ms=clock.now().wall_ms, on_commit=lambda _: room.release()
    )
    watcher = _Watcher(scenario, pages, clock)
    recorder = Recorder(watcher, begun.bookkeeper, begun.writer, clock, interval_s=1.0)
    if each is not None:
        recorder.listen(each)
    chance = random.Random("lateness of ticks")
    try:
        for second in range(_FIRST_S, seconds):
            clock.t_ns = second * _NS_PER_S + round(chance.expovariate(1 / _LATE_S) * _NS_PER_S)
            if not room.acquire(timeout=_WRITER_S):
                raise SystemExit(begun.writer.problem or "the writer does not keep up")
            await recorder.turn()
    finally:
        await watcher.close()
        written = begun.writer.close(_WRITER_S)
    if not written or begun.writer.dropped:
        raise SystemExit(begun.writer.problem or f"not all ticks are in {store}")


def _booted_s(scenario: Scenario) -> float:
    assert scenario.begins is not None
    return scenario.begins.timestamp()


@dataclass(slots=True)
class _Clock:
    booted_ms: int
    t_ns: int = 0

    def now(self) -> Instant:
        return Instant(self.booted_ms + self.t_ns // 1_000_000, self.t_ns)

    def now_ns(self) -> int:
        return self.t_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class _Watcher:
    """What is to be seen of the box at the clock's instant."""

    def __init__(self, scenario: Scenario, pages: PagesOf, clock: _Clock) -> None:
        self._scenario = scenario
        self._pages = pages
        self._clock = clock
        self._seen_s = clock.t_ns / _NS_PER_S
        self._gpus = NvmlCollector(SimulatedDriver(scenario, clock.now_ns), now_ns=clock.now_ns, patience_s=_WRITER_S)
        self._readers = [PageReader() for _ in scenario.servers]

    async def see(self) -> Sightings:
        now_s = self._clock.t_ns / _NS_PER_S
        known, readings = [], []
        for number, server in enumerate(self._scenario.servers):
            life = server.life_at(now_s)
            assert life is not None
            facts = facts_of(server, life, f"127.0.0.1:{server.port}", self._clock.booted_ms / 1000)
            known.append(facts)
            page = self._pages(number, self._seen_s, now_s)
            if page is not None:
                at_ns, body = round(page[0] * _NS_PER_S), page[1]
                readings.append(self._readers[number].read(Page(body, at_ns, 3 + at_ns % 3, "text/plain", {}), facts))
            else:
                readings.append(ServerReading(facts, self._clock.t_ns, ok=False, problem="no answer"))
        self._seen_s = now_s
        return Sightings(
            gpus=await self._gpus.collect(),
            servers=tuple(readings),
            known_servers=tuple(known),
            host=HostReading(
                self._clock.t_ns,
                0.11 + 0.01 * (self._clock.t_ns % 7),
                _MEMORY_BYTES // 3 + self._clock.t_ns % 1_000_003 * 4096,
                _MEMORY_BYTES,
                self_cpu_s=0.012 * now_s,
                self_rss_bytes=40 << 20,
            ),
            probes=self._gpus.probes(),
        )

    async def close(self) -> None:
        await self._gpus.close()
