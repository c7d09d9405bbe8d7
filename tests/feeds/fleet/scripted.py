"""A FleetSource whose answers a test writes down, and how a test follows a timeline over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import TracebackType

from tests.feeds.quiet_box import AdvancedClock
from tests.ledger.fleet.made import WINDOW_MS, book, flow, host
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.timeline import FleetTimeline
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import FleetTally, HostKey


@dataclass
class ScriptedSource:
    """One host. Remembers what it was asked; fails while `failure` says why."""

    clock: AdvancedClock
    interval_s: float = 5.0
    failure: str = ""
    past_ms: int | None = 3_600_000
    end_ms: int | None = None  # of the past; None: now
    asked: list[tuple[str, int]] = field(default_factory=list)
    hangs: asyncio.Event | None = None  # answers of now wait for it
    asked_for_past: asyncio.Event = field(default_factory=asyncio.Event)
    past_hangs: asyncio.Event | None = None  # … of the past for this one
    closed: bool = False

    async def now(self) -> FleetTally:
        self.asked.append(("now", self.clock.now().wall_ms))
        if self.hangs is not None:
            await self.hangs.wait()
        return self._tally(self.clock.now().wall_ms)

    async def at(self, at_ms: int) -> FleetTally:
        self.asked.append(("at", at_ms))
        self.asked_for_past.set()
        if self.past_hangs is not None:
            await self.past_hangs.wait()
        if self.past_ms is None:
            raise SourceError("agents keep no past: record them to have one")
        return self._tally(at_ms)

    def _tally(self, at_ms: int) -> FleetTally:
        if self.failure:
            raise SourceError(self.failure)
        return FleetTally(at_ms, WINDOW_MS, self.interval_s, "scripted", (host("h1", flow(), t1_ms=at_ms),))

    async def span_ms(self) -> tuple[int, int] | None:
        now_ms = self.end_ms or self.clock.now().wall_ms
        return None if self.past_ms is None else (now_ms - self.past_ms, now_ms)

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        return HostDoor(("look", host.host, str(at_ms)), f"a look into {host.host}")

    async def close(self) -> None:
        self.closed = True


class Followed:
    """A timeline whose snapshots are taken one by one, and the clock that it waits by."""

    def __init__(self, source: ScriptedSource, **options: object) -> None:
        self.source, self.clock = source, source.clock
        self.cpu_s = 0.0
        self.feed = FleetTimeline(source, book, source.clock, cpu_s=lambda: self.cpu_s, **options)  # type: ignore[arg-type]
        self._snapshots: AsyncIterator[FleetSnapshot] = self.feed.snapshots()

    async def next(self) -> FleetSnapshot:
        """The next one; a test that waits for none fails."""
        async with asyncio.timeout(5):
            return await anext(self._snapshots)

    async def after(self, seconds: float) -> FleetSnapshot:
        """The next one, when it takes so long; the clock is moved when everybody sleeps."""
        coming = asyncio.ensure_future(self.next())
        await self.clock.asleep(1)
        self.clock.advance(seconds)
        return await coming

    async def __aenter__(self) -> Followed:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.feed.close()
