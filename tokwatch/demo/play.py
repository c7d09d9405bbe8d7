"""Plays a scenario into a store, hours in seconds: real collector, page readers, bookkeeper and writer; nobody sleeps.

The clock is turned by hand from tick to tick, and pages are read without HTTP in between. All else is what a recorder
does: a pause in which nobody watches is a recorder that ends, and another that begins.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from collectors.exposition import parse_lines, split
from collectors.nvml.collector import NvmlCollector
from collectors.page_layout import PageLayout
from collectors.readings import HostReading, ServerFacts, ServerReading
from collectors.vocabularies import recognise
from collectors.vocabularies.plan import Plan, plan_of
from collectors.vocabularies.reader import read
from tokwatch.config import Config
from tokwatch.demo.driver import SimulatedDriver
from tokwatch.demo.scenario import Scenario
from tokwatch.demo.server_page import MetricsPage, facts_of, page_of
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import Box, begin
from tokwatch.ledger.bookkeeper import Instant, Sightings
from tokwatch.store.errors import StoreError

_NS_PER_MS, _NS_PER_S = 1_000_000, 1_000_000_000
_AHEAD = 64  # ticks that may wait for the writer: its backlog is bounded, and drops the oldest
_WRITER_S = 60.0  # of real time; only a defect or a full disk takes longer
_MEMORY_BYTES = 2 << 40


async def play(
    scenario: Scenario,
    config: Config,
    store: Path,
    *,
    from_s: float = 0.0,
    until_s: float,
    progress: Callable[[float], None] = lambda share: None,
) -> int:
    """Record these seconds of the scenario, a tick each `config.interval_s`; how many ticks that were.

    The scenario must say when it begins. Raises StoreError where the store cannot be written.
    """
    if scenario.begins is None:
        raise ValueError("the scenario does not say when it begins")
    clock = _Clock(round(scenario.begins.timestamp() * 1000))
    ticks = 0
    for start_s, end_s in _watched(scenario, from_s, until_s):
        seconds = _beats(start_s, end_s, config.interval_s)
        await _record(
            scenario, config, store, clock, seconds, lambda t_s: progress((t_s - from_s) / (until_s - from_s))
        )
        ticks += len(seconds)
    return ticks


def _watched(scenario: Scenario, from_s: float, until_s: float) -> list[tuple[float, float]]:
    """The stretches in which a recorder runs."""
    pauses = sorted((span.from_s, span.until_s) for span in scenario.unwatched)
    edges = [from_s, *(min(max(edge, from_s), until_s) for pause in pauses for edge in pause), until_s]
    return [(start_s, end_s) for start_s, end_s in list(pairwise(edges))[::2] if start_s < end_s]


def _beats(start_s: float, end_s: float, interval_s: float) -> list[float]:
    """A tick at the beginning, then one each interval up to the end."""
    return [start_s + turn * interval_s for turn in range(int((end_s - start_s) / interval_s) + 1)]


async def _record(
    scenario: Scenario,
    config: Config,
    store: Path,
    clock: _Clock,
    seconds: list[float],
    told: Callable[[float], None],
) -> None:
    """One recorder's life: a tick at each of the seconds."""
    clock.t_ns = round(seconds[0] * _NS_PER_S)
    room = threading.Semaphore(_AHEAD)
    box = Box(config.host or scenario.host, "simulated", scenario.timezone)
    begun = begin(
        store, box, config, kind="simulated", started_ms=clock.now().wall_ms, on_commit=lambda _: room.release()
    )
    watcher = _Watcher(scenario, clock)
    recorder = Recorder(watcher, begun.bookkeeper, begun.writer, clock, interval_s=config.interval_s)
    try:
        for t_s in seconds:
            clock.t_ns = round(t_s * _NS_PER_S)
            if not room.acquire(timeout=_WRITER_S):
                raise StoreError(begun.writer.problem or f"the writer of {store} does not keep up")
            await recorder.turn()
            told(t_s)
    finally:
        await watcher.close()
        written = begun.writer.close(_WRITER_S)
    if not written or begun.writer.dropped or begun.writer.merged:
        raise StoreError(begun.writer.problem or f"not all of the scenario is in {store}")


@dataclass(slots=True)
class _Clock:
    """Wall clock and CLOCK_BOOTTIME of the box, which was booted at second 0."""

    begins_ms: int
    t_ns: int = 0

    def now(self) -> Instant:
        return Instant(self.begins_ms + self.t_ns // _NS_PER_MS, self.t_ns)

    def now_ns(self) -> int:
        return self.t_ns

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class _Watcher:
    """What is to be seen of the box at the clock's instant: where a recorder has its collectors."""

    def __init__(self, scenario: Scenario, clock: _Clock) -> None:
        self._scenario = scenario
        self._clock = clock
        # A busy machine is no stalled driver: the driver's clock stands still while it is asked.
        self._gpus = NvmlCollector(SimulatedDriver(scenario, clock.now_ns), now_ns=clock.now_ns, patience_s=_WRITER_S)
        self._pages: dict[str, _Pages] = {}

    async def see(self) -> Sightings:
        t_s, booted_s = self._clock.now_ns() / _NS_PER_S, self._clock.begins_ms / 1000
        known, readings = [], []
        for server in self._scenario.servers:
            life = server.life_at(t_s)
            if life is None:
                continue
            facts = facts_of(server, life, f"127.0.0.1:{server.port}", booted_s)
            pages = self._pages.setdefault(facts.address, _Pages())
            known.append(facts)
            readings.append(pages.read(page_of(server, t_s, booted_s), facts, self._clock.now_ns()))
        return Sightings(
            gpus=await self._gpus.collect(),
            servers=tuple(readings),
            known_servers=tuple(known),
            host=HostReading(
                self._clock.now_ns(),
                0.11,
                _MEMORY_BYTES // 3,
                _MEMORY_BYTES,
                self_cpu_s=0.002 * t_s,
                self_rss_bytes=1 << 26,
            ),
            probes=self._gpus.probes(),
        )

    async def close(self) -> None:
        await self._gpus.close()


class _Pages:
    """The pages of one server, one after another, by their learnt layout; a change of it is learnt anew.

    collectors.page_reader does the same, and trusts a layout for a minute only: at a tick a minute it would never.
    """

    def __init__(self) -> None:
        self._learnt: tuple[PageLayout, Plan] | None = None

    def read(self, page: MetricsPage | None, facts: ServerFacts, at_ns: int) -> ServerReading:
        if page is None:
            return ServerReading(facts, at_ns, ok=False, problem=f"{facts.address} closed the connection")
        plan, values = self._values(page.body)
        return read(plan, values, facts, at_ns, headers=page.headers, took_ms=1, page_bytes=len(page.body))

    def _values(self, body: bytes) -> tuple[Plan, list[float] | tuple[float, ...]]:
        if self._learnt is not None:
            layout, plan = self._learnt
            values = layout.read(body)
            if values is not None:
                return plan, values
        lines = split(body)
        vocabulary = recognise(lines.names)
        if vocabulary is None:
            raise ValueError("the page of a simulated server is none of its engine")
        metrics = parse_lines(lines, vocabulary.wanted)
        plan, layout_or_none = plan_of(vocabulary, metrics), PageLayout.learn(body, metrics)
        self._learnt = None if layout_or_none is None else (layout_or_none, plan)
        return plan, metrics.values
