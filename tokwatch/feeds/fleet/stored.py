"""A recorded fleet as a FleetSource: what a store holds of it, at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.ledger.fleet.tally import FleetTally, HostKey
from tokwatch.store.errors import StoreError
from tokwatch.store.fleet.frames import FINE_MS
from tokwatch.store.fleet.reader import FleetReader

_TREND_POINTS: Final = 180

T = TypeVar("T")


def holds_fleet(store: Path) -> bool:
    """Whether a store is a recorded fleet's. Raises StoreError where it cannot be read."""
    with FleetReader(store) as reader:
        return reader.span_ms() is not None


class StoredSource:
    """See feeds.fleet.FleetSource. Reads in a thread, each time with a connection of its own."""

    interval_s = FINE_MS / 1000

    def __init__(self, store: Path) -> None:
        self._store = store

    async def now(self) -> FleetTally:
        """The newest moment that is stored."""
        span = await self.span_ms()
        if span is None:
            raise SourceError(f"{self._store} holds no fleet: record one with `tokwatch record --targets LIST`")
        return await self.at(span[1])

    async def at(self, at_ms: int) -> FleetTally:
        return await self._read(lambda reader: self._tally(reader, at_ms))

    async def span_ms(self) -> tuple[int, int] | None:
        return await self._read(FleetReader.span_ms)

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        return None  # of a host there are sums, and no story of its own

    async def close(self) -> None:
        """Nothing is open."""

    def _tally(self, reader: FleetReader, at_ms: int) -> FleetTally:
        frame = reader.frame(at_ms)
        if frame is None:
            raise SourceError("nothing was recorded of the fleet at that time yet")
        grain_ms = frame.grain_ms
        return FleetTally(
            at_ms=frame.at_ms,
            window_ms=grain_ms,
            interval_s=grain_ms / 1000,
            source=f"{len(frame.hosts)} recorded hosts",
            hosts=frame.hosts,
            trend=reader.trend(frame.at_ms - _TREND_POINTS * grain_ms, frame.at_ms, grain_ms),
            simulated=reader.is_simulated,
        )

    async def _read(self, ask: Callable[[FleetReader], T]) -> T:
        def work() -> T:
            with FleetReader(self._store) as reader:
                return ask(reader)

        try:
            return await asyncio.to_thread(work)
        except StoreError as error:
            raise SourceError(str(error)) from error
