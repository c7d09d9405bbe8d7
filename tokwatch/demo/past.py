"""The demo's past: its last hours recorded through the very path the live demo uses, on clocks turned by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from collectors.readings import Probe, ServerFacts, ServerReading
from collectors.servers import ServerCollector
from tokwatch.demo.box import DemoBox
from tokwatch.demo.clock import DemoClock
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import begin

_NS_PER_S = 1_000_000_000
_FLUSH_S = 30.0
_FINE_S, _FINE_INTERVAL_S = 150.0, 2.0  # the sparklines of the first live frame: 30 columns of 4 s, 12 of 10 s


class _Paced:
    """A ServerSource that reads every page exactly once each time it is told to."""

    def __init__(self, collector: ServerCollector, clock: DemoClock) -> None:
        self._collector = collector
        self._clock = clock
        self._wanted: tuple[ServerFacts, ...] = ()

    def set_servers(self, servers: Sequence[ServerFacts]) -> None:
        self._wanted = tuple(servers)

    async def scrape(self) -> None:
        """Read the pages of this instant: the clock's turn has woken those watched before, and new ones begin."""
        self._collector.set_servers(self._wanted)
        await self._clock.settled(len(self._wanted))

    def drain(self) -> tuple[ServerReading, ...]:
        return self._collector.drain()

    def probes(self) -> tuple[Probe, ...]:
        return self._collector.probes()

    async def close(self) -> None:
        await self._collector.close()


async def simulate_past(
    demo: DemoBox,
    store: Path,
    *,
    timezone: str,
    hours: float = 3.0,
    interval_s: float = 15.0,
    progress: Callable[[float], None] = lambda share: None,
) -> None:
    """Record the hours up to this instant into `store`, which is made if need be. Raises StoreError.

    Each turn advances the clocks, lets every server be scraped once and records a tick. The last one is at the live
    instant, so a live recorder goes on without a gap; those shortly before it come closer together. `progress` is
    told the share done, 0..1.
    """
    clock = demo.clock
    end_ns = clock.live_ns()
    first_ns = at_ns = max(0, end_ns - round(hours * 3600 * _NS_PER_S))
    clock.turn_to(at_ns)
    config = msgspec.structs.replace(demo.config, interval_s=interval_s)
    begun = await asyncio.to_thread(
        lambda: begin(store, demo.identity(timezone), config, kind="simulated", started_ms=clock.now().wall_ms)
    )
    fine_s = min(interval_s, _FINE_INTERVAL_S)
    servers = _Paced(demo.server_collector(fine_s), clock)
    sources = demo.open_sources(fine_s, servers)
    recorder = Recorder(sources, begun.bookkeeper, begun.writer, clock, interval_s=interval_s)
    try:
        await sources.see()  # finds the servers, so that their pages are in the first tick
        while True:
            await servers.scrape()
            await recorder.turn()
            progress((at_ns - first_ns) / max(1, end_ns - first_ns))
            if at_ns >= end_ns:
                break
            end_ns = clock.live_ns()  # seconds have passed while the hours did
            step_s = fine_s if end_ns - at_ns <= _FINE_S * _NS_PER_S else interval_s
            at_ns = min(at_ns + round(step_s * _NS_PER_S), end_ns)
            clock.turn_to(at_ns)
    finally:
        await sources.close()
        clock.run()
        await asyncio.to_thread(begun.writer.close, _FLUSH_S)
