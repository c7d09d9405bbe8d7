"""Recording hosts that are read directly: a frame of all of them every ten seconds, each one's quarter hours."""

from __future__ import annotations

import asyncio
from typing import Final

from tokwatch.feeds.clock import Clock, SystemClock
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.recent_trend import trend_point
from tokwatch.ledger.fleet.host_quarters import HostQuarters
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.store.fleet.frames import COARSE_MS, FINE_MS, Frame
from tokwatch.store.fleet.writer import FleetWriter

_LATE_MS: Final = 2_000  # a frame is of an edge, and is made once the reports of that second are in


class DirectRecording:
    """Takes what a source's hosts say, and writes it."""

    def __init__(self, source: DirectSource, writer: FleetWriter, clock: Clock | None = None) -> None:
        self._source = source
        self._writer = writer
        self._clock = clock or SystemClock()
        self._quarters: dict[str, HostQuarters] = {}
        self._is_over = False
        source.listen(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Read and record until `stop`; late frames are skipped. What goes on then is written as far as it is known."""
        self._source.start()
        while not stop.is_set():
            now_ms = self._clock.now().wall_ms
            edge_ms = (now_ms - _LATE_MS) // FINE_MS * FINE_MS + FINE_MS
            waiting = asyncio.ensure_future(self._clock.sleep((edge_ms + _LATE_MS - now_ms) / 1000))
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait({waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            stopping.cancel()
            if not stop.is_set():
                await self._frames(edge_ms)
        self._is_over = True  # what comes later is not in the store
        self._writer.put_quarters(rest for each in self._quarters.values() if (rest := each.rest()) is not None)

    async def _frames(self, at_ms: int) -> None:
        for grain_ms in (FINE_MS, COARSE_MS):
            if at_ms % grain_ms == 0:
                hosts = await self._source.hosts(grain_ms)
                if hosts:
                    self._writer.put_frame(Frame(at_ms, grain_ms, hosts, trend_point(at_ms, hosts)))

    # --- told by the source -------------------------------------------------------------------------------------------

    def hello(self, host: str, hello: Hello, at_ms: int) -> None:
        self._quarters.setdefault(host, HostQuarters(host))

    def report(self, host: str, report: Report, at_ms: int) -> None:
        quarters = self._quarters[host]
        if self._is_over or not quarters.is_due(at_ms):
            return
        self._writer.put_quarters(quarters.add(self._source.meter.counters(host), report, at_ms))
        if (going_on := quarters.checkpoint()) is not None:
            self._writer.put_quarters((going_on,))

    def failed(self, host: str, problem: str, at_ms: int) -> None:
        """Silence is seen by its length, with the next report."""
