"""A viewer that follows a recorder: what it shows, and who records, when that recorder falls silent or goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.feeds.quiet_box import AdvancedClock, OneGpu, begun_at, record_ticks
from tokwatch.feeds import takeover
from tokwatch.feeds.attach import follow
from tokwatch.feeds.live_recording import Recordable
from tokwatch.feeds.start import Begun
from tokwatch.feeds.takeover import Heir
from tokwatch.feeds.timeline import Timeline
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.store.errors import StoreError
from tokwatch.store.lock import RecorderLock, who_records
from tokwatch.store.reader import Reader


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


class Viewer:
    """A screen that follows; `until` lets its clock run until it shows something."""

    def __init__(self, feed: Timeline, clock: AdvancedClock) -> None:
        self.feed = feed
        self.seen: list[Snapshot] = []
        self._clock = clock
        self._new = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for snapshot in self.feed.snapshots():
            self.seen.append(snapshot)
            self._new.set()

    async def until(self, wanted: Callable[[Snapshot], bool]) -> Snapshot:
        async with asyncio.timeout(20):
            while not (self.seen and wanted(self.seen[-1])):
                self._new.clear()
                self._clock.advance(takeover.POLL_S)
                # What the viewer does meanwhile is in threads: a new Snapshot says that it is done, or its next sleep.
                await asyncio.wait(
                    {asyncio.ensure_future(self._new.wait()), asyncio.ensure_future(self._clock.asleep(1))},
                    return_when=asyncio.FIRST_COMPLETED,
                )
        return self.seen[-1]

    async def close(self) -> None:
        await self.feed.close()
        await self._reading


def recordable(store: Path, clock: AdvancedClock, begin: Callable[[], Begun] | None = None) -> Recordable:
    return Recordable(store, begin or (lambda: begun_at(store, clock)), lambda: OneGpu(clock), interval_s=1.0)


@asynccontextmanager
async def viewing(store: Path, clock: AdvancedClock, heir: Heir | None) -> AsyncIterator[Viewer]:
    viewer = Viewer(await follow(store, clock, heir=heir), clock)
    try:
        yield viewer
    finally:
        await viewer.close()


def recorder_of(store: Path) -> RecorderLock:
    lock = RecorderLock.acquire(store, exclusive_host=False)
    assert lock is not None
    return lock


def says(words: str) -> Callable[[Snapshot], bool]:
    return lambda snapshot: any(words in problem for problem in snapshot.problems)


async def test_a_viewer_that_may_write_records_on_when_the_recorder_has_gone(store: Path) -> None:
    clock = AdvancedClock()
    gone = recorder_of(store)
    ticks = await record_ticks(store, clock, 2)
    async with viewing(store, clock, Heir(recordable(store, clock), exclusive_host=False)) as viewer:
        await viewer.until(lambda s: s.tick_ms == ticks[-1])
        assert not viewer.feed.takes_prices
        gone.release()
        own = await viewer.until(lambda s: s.tick_ms > ticks[-1])
        assert says("the recorder has been gone since 12:00:02: this screen records on until it is closed")(own)
        assert viewer.feed.takes_prices
        assert who_records(store) is not None
        assert all(a.tick_ms <= b.tick_ms for a, b in zip(viewer.seen, viewer.seen[1:], strict=False))
    assert who_records(store) is None
    with Reader(store) as reader:
        assert len(reader.runs()) == 2
        assert (reader.last_tick() or 0) >= own.tick_ms


async def test_a_recorder_that_is_restarted_at_once_keeps_its_place(store: Path) -> None:
    clock = AdvancedClock()
    recorder = recorder_of(store)
    ticks = await record_ticks(store, clock, 1)
    async with viewing(store, clock, Heir(recordable(store, clock), exclusive_host=False)) as viewer:
        await viewer.until(lambda s: s.tick_ms == ticks[-1])
        recorder.release()
        for _ in range(8):  # polls: the recorder is asked for once or twice in them
            await clock.asleep(1)
            clock.advance(takeover.POLL_S)
        again = recorder_of(store)
        later = await record_ticks(store, clock, 1)
        shown = await viewer.until(lambda s: s.tick_ms == later[-1])
        assert not shown.problems
        again.release()


async def test_of_two_viewers_one_records_and_the_other_follows_it(store: Path) -> None:
    clock = AdvancedClock()
    gone = recorder_of(store)
    ticks = await record_ticks(store, clock, 2)
    heirs = [Heir(recordable(store, clock), exclusive_host=False) for _ in range(2)]
    async with viewing(store, clock, heirs[0]) as one, viewing(store, clock, heirs[1]) as other:
        await one.until(lambda s: s.tick_ms == ticks[-1])
        gone.release()
        await one.until(lambda s: s.tick_ms > ticks[-1])
        await other.until(lambda s: s.tick_ms > ticks[-1])
        assert sorted([one.feed.takes_prices, other.feed.takes_prices]) == [False, True]
    with Reader(store) as reader:
        assert len(reader.runs()) == 2


async def test_a_viewer_that_never_records_says_since_when_nobody_does(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 2)
    async with viewing(store, clock, None) as viewer:
        shown = await viewer.until(lambda s: bool(s.problems))
        assert says("nobody has recorded since 12:00:02, and you may not write")(shown)
        assert shown.tick_ms == ticks[-1]
        recorder = recorder_of(store)
        back = await viewer.until(lambda s: not s.problems)
        assert back.tick_ms == ticks[-1]
        recorder.release()


async def test_a_recorder_that_holds_its_place_and_stores_nothing_is_named(store: Path) -> None:
    clock = AdvancedClock()
    recorder = recorder_of(store)
    await record_ticks(store, clock, 2)
    async with viewing(store, clock, Heir(recordable(store, clock), exclusive_host=False)) as viewer:
        shown = await viewer.until(lambda s: bool(s.problems))
        assert says("has stored nothing since 12:00:02: its own messages say why")(shown)
        later = await record_ticks(store, clock, 1)
        await viewer.until(lambda s: s.tick_ms == later[-1] and not s.problems)
        recorder.release()


async def test_a_recording_that_cannot_begin_is_tried_again(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 2)
    failures = iter([StoreError("the disk is full")])

    def begin() -> Begun:
        for failure in failures:
            raise failure
        return begun_at(store, clock)

    async with viewing(store, clock, Heir(recordable(store, clock, begin), exclusive_host=False)) as viewer:
        await viewer.until(says("recording on failed: the disk is full"))
        assert who_records(store) is None
        await viewer.until(lambda s: s.tick_ms > ticks[-1])
        assert viewer.feed.takes_prices
