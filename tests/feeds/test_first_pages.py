"""A configured server that begins to answer is read once a scan has looked for its process, and loses nothing by it."""

from __future__ import annotations

import asyncio

from collectors.discovery.scan import Discovery
from collectors.readings import GpuReading, Probe, ServerFacts
from tests.feeds.world import Host, Server, Servers, TurnedClock, llama_text
from tokwatch.feeds.sources import Sources

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC
ADDRESS = "127.0.0.1:8080"
NAMED = ServerFacts(ADDRESS, "llama.cpp", f"http://{ADDRESS}/metrics", origin="config")
FOUND = ServerFacts(ADDRESS, "llama.cpp", pid=77, started_at_s=NOON_MS / 1000, model="Llama-8B")


class NoGpus:
    """A GpuCollector of a box without any."""

    async def collect(self) -> tuple[GpuReading, ...]:
        return ()

    def probes(self) -> tuple[Probe, ...]:
        return ()

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return {}

    async def close(self) -> None:
        """Nothing to do."""


class Beginning:
    """A box on which a server is configured, and is down. Scans find `on_this_box`."""

    def __init__(self) -> None:
        self.clock = TurnedClock(NOON_MS)
        self.server = Server(NAMED, NOON_MS / 1000, page=llama_text, problem="connection refused")
        self.servers = Servers(self.clock, {ADDRESS: self.server})
        self.on_this_box: tuple[ServerFacts, ...] = ()
        self.scans = 0
        self.sources = Sources(
            NoGpus(),
            self.servers,
            Host(self.clock),
            configured=(NAMED,),
            scan=self._scan,
            monotonic_s=lambda: self.clock.boottime_ms / 1000,
        )

    def _scan(self) -> Discovery:
        self.scans += 1
        return Discovery(self.on_this_box, ())

    async def answered(self, ticks: int) -> list[bool]:
        """Tick by tick, whether a page of the server was handed on; scans that began are over at the next tick."""
        answered = []
        for _ in range(ticks):
            self.clock.advance_ms(1000)
            seen = await self.sources.see()
            answered.append(any(reading.ok for reading in seen.servers))
            here = asyncio.current_task()
            await asyncio.gather(*(task for task in asyncio.all_tasks() if task is not here))
        return answered


async def test_its_first_page_waits_for_the_scan_that_knows_its_model_and_start() -> None:
    box = Beginning()
    assert await box.answered(2) == [False, False]
    box.server.problem, box.on_this_box = "", (FOUND,)
    assert await box.answered(3) == [False, False, True]
    assert box.scans == 2


async def test_a_server_of_another_box_is_looked_for_once() -> None:
    box = Beginning()
    box.server.problem = ""
    assert await box.answered(8) == [False, False, True, True, True, True, True, True]
    assert box.scans == 2


async def test_a_server_that_comes_back_is_looked_for_again() -> None:
    box = Beginning()
    box.server.problem = ""
    await box.answered(4)
    box.server.problem = "connection refused"
    await box.answered(1)
    box.server.problem = ""
    assert await box.answered(3) == [False, False, True]


async def test_a_box_that_is_never_scanned_waits_for_nothing() -> None:
    clock = TurnedClock(NOON_MS)
    servers = Servers(clock, {ADDRESS: Server(NAMED, NOON_MS / 1000, page=llama_text)})
    sources = Sources(NoGpus(), servers, Host(clock), configured=(NAMED,), monotonic_s=lambda: 0.0)
    seen = await sources.see()
    assert [reading.ok for reading in seen.servers] == [True]
