"""The recorded demo session that every picture is taken of: three simulated hours that end at one fixed instant."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.feeds.quiet_box import AdvancedClock
from tokwatch.demo.box import DemoBox, open_demo
from tokwatch.demo.past import simulate_past
from tokwatch.feeds import Feed
from tokwatch.feeds.attach import record_and_show
from tokwatch.feeds.live_recording import Recordable
from tokwatch.feeds.recorder import Seer
from tokwatch.feeds.start import begin
from tokwatch.ledger.bookkeeper import Instant, Sightings
from tokwatch.store.lock import RecorderLock

ENDS = datetime(2026, 11, 20, 14, 3, 17, tzinfo=UTC)
TIMEZONE = "UTC+00:00"
LIVE_TICKS = 6  # then every state is confirmed


class TurnedBackClock(AdvancedClock):
    """The clock of the session, which each picture finds at the same instant."""

    def __init__(self) -> None:
        super().__init__(round(ENDS.timestamp() * 1000))
        self._began = (self._wall_ms, self._boottime_ms)

    def turn_back(self) -> None:
        """To where it began. Nobody may be asleep."""
        self._wall_ms, self._boottime_ms = self._began


class RecorderClock:
    """The box's clock for its recorder, whose sleep is told apart from that of the readers of pages."""

    def __init__(self, box: DemoBox) -> None:
        self._box = box
        self.sleeper = AdvancedClock()

    def now(self) -> Instant:
        return self._box.clock.now()

    async def sleep(self, seconds: float) -> None:
        await self.sleeper.sleep(seconds)


class PagesFromTheSecondLook:
    """A Seer whose first look has no page yet.

    A first page is there or not by chance: it is read while the GPUs are. Latencies of the last minute tell which.
    """

    def __init__(self, seer: Seer) -> None:
        self._seer = seer
        self._looked = False

    async def see(self) -> Sightings:
        seen = await self._seer.see()
        if self._looked:
            return seen
        self._looked = True
        return replace(seen, servers=())  # each has a newer page at the second

    async def close(self) -> None:
        await self._seer.close()


@dataclass(frozen=True, slots=True)
class Session:
    """The box, the clock of its pages, and the store with its past. Each picture goes on from a copy of it."""

    box: DemoBox
    clock: TurnedBackClock
    store: Path
    recorder: RecorderClock

    def live_feed(self, copy: Path) -> Callable[[], Awaitable[Feed]]:
        """Opens a recorder that goes on from the session, in a copy of its store."""

        async def open_feed() -> Feed:
            await asyncio.to_thread(shutil.copyfile, self.store, copy)
            lock = RecorderLock.acquire(copy, exclusive_host=False)
            assert lock is not None, "every picture has a copy of its own"
            config = self.box.config
            wanted = Recordable(
                copy,
                begin=lambda: begin(
                    copy,
                    self.box.identity(TIMEZONE),
                    config,
                    kind="simulated",
                    started_ms=self.box.clock.now().wall_ms,
                ),
                open_sources=lambda: PagesFromTheSecondLook(self.box.open_sources(config.interval_s)),
                interval_s=config.interval_s,
            )
            return await record_and_show(wanted, lock, self.recorder)

        return open_feed

    def wall_s(self) -> float:
        """The time on the box's clock."""
        return self.box.clock.now().wall_ms / 1000

    async def tick(self) -> None:
        """Let a second pass: every page is read, then the recorder looks at what was read."""
        readers = len(self.box.discover().servers)
        await self.clock.asleep(readers)
        self.clock.advance(1.0)
        await self.clock.asleep(readers)
        await self.recorder.sleeper.asleep(1)
        self.recorder.sleeper.advance(1.0)


@asynccontextmanager
async def recorded(folder: Path) -> AsyncIterator[Session]:
    """Records the session into the folder."""
    clock = TurnedBackClock()
    box = await open_demo(clock)
    try:
        store = folder / "session.db"
        await simulate_past(box, store, timezone=TIMEZONE)
        yield Session(box, clock, store, RecorderClock(box))
    finally:
        await box.close()
