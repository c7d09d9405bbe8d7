"""The transport over time: now and the stored past behind one feed, on a clock that is advanced by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.feeds.quiet_box import AdvancedClock, OneGpu, begun_at, record_ticks
from tokwatch.feeds import Feed
from tokwatch.feeds.attach import follow, record_and_show
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History, read_book
from tokwatch.feeds.live_recording import Recordable
from tokwatch.feeds.timeline import Timeline
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.store.lock import RecorderLock
from tokwatch.store.reader import Reader


@dataclass
class Screen:
    """The one consumer of a feed."""

    feed: Feed
    shown: AsyncIterator[Snapshot]
    clock: AdvancedClock
    committed: asyncio.Queue[int] = field(default_factory=asyncio.Queue)  # ticks on the disk

    async def next(self) -> Snapshot:
        async with asyncio.timeout(20):
            return await anext(self.shown)

    async def until(self, wanted: Callable[[Snapshot], bool]) -> Snapshot:
        """The first snapshot of that kind."""
        while not wanted(current := await self.next()):
            pass
        return current

    async def pass_s(self, seconds: float) -> None:
        """Let time pass once the recorder, follower or player waits for it."""
        await self.clock.asleep(1)
        self.clock.advance(seconds)

    async def let_time_pass(self) -> None:
        """As fast as the recorder goes, until cancelled."""
        while True:
            await self.pass_s(0.5)
            await asyncio.sleep(0)

    async def stored_now(self) -> Snapshot:
        """What is shown once the tick of this instant is shown and on the disk."""
        now_ms = self.clock.now().wall_ms
        current = await self.until(lambda snapshot: snapshot.tick_ms == now_ms)
        async with asyncio.timeout(20):
            while await self.committed.get() != now_ms:
                pass
        return current


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@asynccontextmanager
async def recording(store: Path, price: float | None = None) -> AsyncIterator[tuple[Screen, OneGpu]]:
    """A live feed with its own recorder."""
    clock = AdvancedClock()
    gpu = OneGpu(clock)
    lock = RecorderLock.acquire(store, exclusive_host=False)
    assert lock is not None
    committed: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def on_commit(tick_ms: int) -> None:
        loop.call_soon_threadsafe(committed.put_nowait, tick_ms)

    wanted = Recordable(
        store, lambda: begun_at(store, clock, price=price, on_commit=on_commit), lambda: gpu, interval_s=1.0
    )
    feed = await record_and_show(wanted, lock, clock)
    try:
        yield Screen(feed, feed.snapshots(), clock, committed), gpu
    finally:
        await feed.close()


@asynccontextmanager
async def replaying(store: Path, clock: AdvancedClock, speed: float = 1.0) -> AsyncIterator[Screen]:
    feed = Timeline(store, lambda: Cursor(History(store)), clock, session="s", speed=speed)
    try:
        yield Screen(feed, feed.snapshots(), clock)
    finally:
        await feed.close()


# --- live -----------------------------------------------------------------------------------------------------------


async def test_live_shows_every_tick_as_it_comes(store: Path) -> None:
    async with recording(store) as (screen, _):
        first = await screen.next()
        await screen.pass_s(1)
        second = await screen.next()
        assert (first.mode, second.mode) == ("live", "live")
        assert second.tick_ms - first.tick_ms == 1000
        assert screen.feed.can_go_live
        assert screen.feed.takes_prices
        assert screen.feed.span_ms == (first.tick_ms, second.tick_ms)


async def test_while_paused_the_moment_stands_and_the_recording_goes_on(store: Path) -> None:
    async with recording(store) as (screen, _):
        for _ in range(3):
            await screen.pass_s(1)
        live = await screen.stored_now()
        screen.feed.pause()
        paused = await screen.next()
        assert paused.mode == "paused"
        assert paused.tick_ms <= live.tick_ms
        for _ in range(3):
            await screen.pass_s(1)
        await screen.clock.asleep(1)
        assert screen.feed.span_ms is not None
        assert screen.feed.span_ms[1] == live.tick_ms + 3000


async def test_stepping_back_playing_fast_and_catching_up_ends_at_now(store: Path) -> None:
    async with recording(store) as (screen, _):
        for _ in range(6):
            await screen.pass_s(1)
        await screen.stored_now()
        screen.feed.step(-3)
        back = await screen.until(lambda s: s.mode == "paused")
        assert screen.clock.now().wall_ms - back.tick_ms >= 3000
        screen.feed.set_speed(60.0)
        assert screen.feed.speed == 60.0
        screen.feed.play()
        assert (await screen.until(lambda s: s.mode == "replay")).tick_ms == back.tick_ms
        time_passes = asyncio.create_task(screen.let_time_pass())
        now = await screen.until(lambda s: s.mode == "live")
        time_passes.cancel()
        assert now.tick_ms >= back.tick_ms + 3000


async def test_a_seek_shows_the_last_tick_before_that_moment_and_going_live_comes_back(store: Path) -> None:
    async with recording(store) as (screen, _):
        first = await screen.next()
        for _ in range(5):
            await screen.pass_s(1)
        live = await screen.stored_now()
        screen.feed.seek(first.tick_ms + 2500)
        past = await screen.until(lambda s: s.mode == "paused")
        assert past.tick_ms == first.tick_ms + 2000
        screen.feed.go_live()
        assert await screen.next() == live


async def price_is_stored(store: Path, price: float) -> None:
    """Until the writer's thread has it on the disk: the fake clock's ticks can be faster than that."""

    def stored() -> bool:
        with Reader(store) as reader:
            return any(version.prices.usd_per_gpu_hour == price for version in read_book(reader).versions)

    async with asyncio.timeout(10):
        while not await asyncio.to_thread(stored):
            pass


async def test_a_price_set_on_the_screen_holds_from_the_next_tick_on(store: Path) -> None:
    async with recording(store, price=2.0) as (screen, _):
        for _ in range(2):
            await screen.pass_s(1)
        before = await screen.stored_now()
        assert before.totals.usd_per_hour.value == 2.0
        screen.feed.set_price(3.5)
        await screen.pass_s(1)
        after = await screen.until(lambda s: s.tick_ms > before.tick_ms)
        assert after.totals.usd_per_hour.value == 3.5
        assert "set by you" in after.price
        await price_is_stored(store, 3.5)
        screen.feed.seek(before.tick_ms)
        assert (await screen.until(lambda s: s.mode == "paused")).totals.usd_per_hour.value == 2.0
        screen.feed.step(1)
        assert (await screen.next()).totals.usd_per_hour.value == 3.5


async def test_a_price_set_while_looking_at_the_past_is_known_there_too(store: Path) -> None:
    async with recording(store, price=2.0) as (screen, _):
        for _ in range(3):
            await screen.pass_s(1)
        shown = await screen.stored_now()
        screen.feed.step(-1)
        await screen.until(lambda s: s.mode == "paused")
        screen.feed.set_price(3.5)
        for _ in range(2):
            await screen.pass_s(1)
        await screen.clock.asleep(1)
        while await screen.committed.get() != screen.clock.now().wall_ms:
            pass
        await price_is_stored(store, 3.5)
        assert screen.feed.span_ms is not None
        screen.feed.seek(screen.feed.span_ms[1])
        assert (await screen.until(lambda s: s.tick_ms > shown.tick_ms)).totals.usd_per_hour.value == 3.5


async def test_closing_ends_the_snapshots_the_recording_and_the_lock(store: Path) -> None:
    async with recording(store) as (screen, gpu):
        await screen.next()
        assert RecorderLock.acquire(store, exclusive_host=False) is None
        await screen.feed.close()
        assert [snapshot async for snapshot in screen.shown] == []
        assert gpu.closed
        again = RecorderLock.acquire(store, exclusive_host=False)
        assert again is not None
        again.release()
        await screen.feed.close()


async def test_a_recorder_that_fails_ends_the_snapshots_with_its_error(store: Path) -> None:
    async with recording(store) as (screen, gpu):
        await screen.next()
        gpu.fails = RuntimeError("a defect")
        await screen.pass_s(1)
        with pytest.raises(RuntimeError, match="a defect"):
            await screen.until(lambda s: False)


# --- a stored session -----------------------------------------------------------------------------------------------


async def test_a_replay_begins_at_the_first_tick_and_keeps_the_pace_of_the_recording(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 5)
    async with replaying(store, clock) as screen:
        assert not screen.feed.can_go_live
        assert not screen.feed.takes_prices
        shown = [await screen.next()]
        for _ in ticks[1:4]:
            await screen.pass_s(1)
            shown.append(await screen.next())
        assert [snapshot.tick_ms for snapshot in shown] == ticks[:4]
        assert {(snapshot.mode, snapshot.session) for snapshot in shown} == {("replay", "s")}
        assert screen.feed.span_ms == (ticks[0], ticks[-1])


async def test_at_its_end_a_replay_stands_still(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 3)
    async with replaying(store, clock) as screen:
        await screen.next()
        for _ in range(2):
            await screen.pass_s(1)
        end = await screen.until(lambda s: s.mode == "paused")
        assert end.tick_ms == ticks[-1]


async def test_faster_than_the_recording_ticks_are_skipped_and_not_shown_late(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 100)
    async with replaying(store, clock, speed=60.0) as screen:
        assert (await screen.next()).tick_ms == ticks[0]
        await screen.pass_s(0.5)
        assert (await screen.next()).tick_ms == ticks[30]


async def test_what_a_frame_takes_to_make_is_played_too(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 100)

    class SlowCursor(Cursor):
        def snapshot(self, mode: str, session: str) -> Snapshot | None:
            clock.advance(0.2)
            return super().snapshot(mode, session)

    feed = Timeline(store, lambda: SlowCursor(History(store)), clock, speed=60.0)
    screen = Screen(feed, feed.snapshots(), clock)
    try:
        shown = [(await screen.next()).tick_ms]
        for _ in range(2):
            await screen.pass_s(0.3)
            shown.append((await screen.next()).tick_ms)
        assert shown == [ticks[0], ticks[30], ticks[60]]
    finally:
        await feed.close()


async def test_steps_and_going_to_the_end_of_a_replay(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 6)
    async with replaying(store, clock) as screen:
        await screen.next()
        screen.feed.step(2)
        assert (await screen.next()).tick_ms == ticks[2]
        screen.feed.step(-1)
        assert (await screen.next()).tick_ms == ticks[1]
        screen.feed.step(-5)
        assert (await screen.next()).tick_ms == ticks[0]
        screen.feed.go_live()
        end = await screen.next()
        assert (end.tick_ms, end.mode) == (ticks[-1], "paused")


async def test_a_store_that_cannot_be_read_ends_the_snapshots_with_its_error(store: Path) -> None:
    feed = Timeline(store, lambda: Cursor(History(store)), AdvancedClock())
    with pytest.raises(Exception, match="no store at"):
        _ = [snapshot async for snapshot in feed.snapshots()]
    await feed.close()


# --- what another process records -----------------------------------------------------------------------------------


@asynccontextmanager
async def following(store: Path, clock: AdvancedClock) -> AsyncIterator[Screen]:
    feed = await follow(store, clock)
    try:
        yield Screen(feed, feed.snapshots(), clock)
    finally:
        await feed.close()


async def test_a_follower_shows_what_another_recorder_writes(store: Path) -> None:
    clock = AdvancedClock()
    first = await record_ticks(store, clock, 2)
    async with following(store, clock) as screen:
        assert screen.feed.can_go_live
        assert not screen.feed.takes_prices  # the recorder's own, in its process
        assert (await screen.next()).tick_ms == first[-1]
        later = await record_ticks(store, clock, 3)
        await screen.pass_s(1)
        now = await screen.until(lambda s: s.tick_ms == later[-1])
        assert now.mode == "live"
        assert screen.feed.span_ms == (first[0], later[-1])


async def test_a_follower_may_be_there_before_the_first_tick(store: Path) -> None:
    clock = AdvancedClock()
    await record_ticks(store, clock, 0)
    async with following(store, clock) as screen:
        await screen.pass_s(1)
        ticks = await record_ticks(store, clock, 2)
        await screen.pass_s(1)
        assert (await screen.next()).tick_ms == ticks[-1]


async def test_a_follower_learns_of_a_new_price(store: Path) -> None:
    clock = AdvancedClock()
    await record_ticks(store, clock, 2, price=2.0)
    async with following(store, clock) as screen:
        assert (await screen.next()).totals.usd_per_hour.value == 2.0
        await record_ticks(store, clock, 2, price=4.0)
        await screen.pass_s(1)
        assert (await screen.until(lambda s: s.totals.usd_per_hour.value != 2.0)).totals.usd_per_hour.value == 4.0


# --- mutes ------------------------------------------------------------------------------------------------------------


async def test_a_mute_told_on_the_screen_is_in_the_store(store: Path) -> None:
    async with recording(store) as (screen, _):
        await screen.stored_now()
        now_ms = screen.clock.now().wall_ms
        assert await screen.feed.mute("parked", ("0",), now_ms + 60_000, "kept warm") == ""
        with Reader(store) as reader:
            (mute,) = reader.mutes()
        assert (mute.state, mute.gpu, mute.made_ms, mute.reason) == ("parked", "0", now_ms, "kept warm")
        assert await screen.feed.unmute((mute.id,)) == ""
        with Reader(store) as reader:
            assert not any(each.in_force(now_ms) for each in reader.mutes())


async def test_a_replay_takes_no_mutes_and_says_why(store: Path) -> None:
    clock = AdvancedClock()
    await record_ticks(store, clock, 2)
    async with replaying(store, clock) as screen:
        assert "nobody records" in await screen.feed.mute("parked", (), clock.now().wall_ms + 1, "kept warm")
    with Reader(store) as reader:
        assert reader.mutes() == []
