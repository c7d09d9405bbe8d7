"""Moving about in stored time: jumps to marks, gaps that are skipped, two windows, other prices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.feeds.quiet_box import AdvancedClock, record_ticks
from tests.feeds.test_timeline import Screen, recording, replaying
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.feeds.mark import Mark
from tokwatch.feeds.timeline import Timeline
from tokwatch.ledger.entries import Run
from tokwatch.ledger.view import View
from tokwatch.store.reader import Reader

PAUSE_S = 600  # between two runs of the recorder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def two_runs(store: Path, clock: AdvancedClock, ticks: int = 20) -> tuple[list[int], list[int]]:
    """A recorder that is started again after a while, at another price."""
    first = await record_ticks(store, clock, ticks, price=2.0)
    clock.advance(PAUSE_S)
    return first, await record_ticks(store, clock, ticks, price=4.0)


@asynccontextmanager
async def paused_at(store: Path, clock: AdvancedClock, at_ms: int) -> AsyncIterator[Screen]:
    feed = Timeline(store, lambda: Cursor(History(store)), clock, session="s", start_ms=at_ms)
    screen = Screen(feed, feed.snapshots(), clock)
    try:
        feed.pause()
        await screen.next()
        yield screen
    finally:
        await feed.close()


# --- marks ----------------------------------------------------------------------------------------------------------


async def test_a_gap_and_a_change_of_price_are_marks_at_the_first_tick_after_them(store: Path) -> None:
    clock = AdvancedClock()
    first, second = await two_runs(store, clock)
    async with paused_at(store, clock, first[0]) as screen:
        gap, price = (mark for mark in screen.feed.marks if mark.kind != "idle")
        assert [(mark.at_ms, mark.kind) for mark in (gap, price)] == [(second[0], "gap"), (second[0], "price")]
        assert gap.length_ms == second[0] - first[-1]


async def test_an_idle_gpu_is_a_mark_of_the_session_in_which_it_begins(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 310)
    with Reader(store) as reader:
        begun = [event.tick_ms for event in reader.events(0, ticks[-1], kinds=["state"])]
    history = History(store)
    [mark] = [mark for mark in history.marks(ticks[0] - 1, ticks[-1]) if mark.kind == "idle"]
    assert (mark.at_ms, mark.state, mark.words) == (begun[0], "unallocated", "gpu 0")
    assert [mark for mark in history.marks(ticks[5], ticks[-1]) if mark.kind == "idle"] == []
    history.close()


async def test_jumps_go_to_the_next_mark_and_back_and_stay_where_there_is_none(store: Path) -> None:
    clock = AdvancedClock()
    first, second = await two_runs(store, clock)
    async with paused_at(store, clock, first[3]) as screen:
        assert await screen.feed.jump("alert", forward=True) is None
        gap = await screen.feed.jump(None, forward=True)
        assert gap is not None
        assert (gap.kind, gap.at_ms) == ("gap", second[0])
        assert (await screen.next()).tick_ms == second[0]
        assert await screen.feed.jump(None, forward=True) is None
        assert await screen.feed.jump("gap", forward=False) is None
        screen.feed.step(3)
        assert (await screen.next()).tick_ms == second[3]
        price = await screen.feed.jump("price", forward=False)
        assert price == Mark(second[0], "price", "command line")


async def test_a_jump_from_now_leaves_now_but_only_where_there_is_a_mark(store: Path) -> None:
    await record_ticks(store, AdvancedClock(), 5)
    async with recording(store) as (screen, _):
        screen.clock.advance(PAUSE_S)
        await screen.pass_s(1)
        live = await screen.stored_now()
        assert await screen.feed.jump("restart", forward=False) is None
        await screen.pass_s(1)
        assert (await screen.stored_now()).mode == "live"
        gap = await screen.feed.jump("gap", forward=False)
        assert gap is not None
        past = await screen.until(lambda s: s.mode == "paused")
        assert past.tick_ms == gap.at_ms <= live.tick_ms


# --- gaps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speed", [1.0, 60.0, 3600.0])
async def test_playing_goes_over_a_gap_at_any_speed(store: Path, speed: float) -> None:
    clock = AdvancedClock()
    first, second = await two_runs(store, clock)
    async with replaying(store, clock, speed=speed) as screen:
        screen.feed.seek(first[-2])
        playing = asyncio.create_task(screen.let_time_pass())
        after = await screen.until(lambda s: s.tick_ms >= second[0])
        playing.cancel()
        assert after.tick_ms <= second[-1]


async def test_a_seek_while_playing_goes_on_playing_from_there(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 30)
    async with replaying(store, clock) as screen:
        await screen.next()
        screen.feed.seek(ticks[10])
        assert (await screen.until(lambda s: s.tick_ms == ticks[10])).mode == "replay"
        await screen.pass_s(1)
        assert (await screen.until(lambda s: s.tick_ms > ticks[10])).tick_ms == ticks[11]


# --- what if --------------------------------------------------------------------------------------------------------


async def test_another_price_changes_what_is_shown_and_nothing_that_is_stored(store: Path) -> None:
    clock = AdvancedClock()
    first, second = await two_runs(store, clock)
    before = await asyncio.to_thread(store.read_bytes)
    with Reader(store) as watching:
        watching.changed()
        async with paused_at(store, clock, first[-1]) as screen:
            screen.feed.suppose_price(7.5)
            supposed = await screen.next()
            assert screen.feed.what_if == 7.5
            assert supposed.totals.usd_per_hour.value == 7.5
            assert supposed.price == "7.5 USD/GPU-h, what if"
            assert (await screen.feed.window(second[-1], 60_000)).usd_per_hour.value == pytest.approx(7.5)
            screen.feed.seek(second[-1])
            assert (await screen.next()).totals.usd_per_hour.value == 7.5
            screen.feed.suppose_price(None)
            assert (await screen.next()).totals.usd_per_hour.value == 4.0
            assert screen.feed.what_if is None
            screen.feed.seek(first[-1])
            assert (await screen.next()).totals.usd_per_hour.value == 2.0
        assert not watching.changed()
    assert await asyncio.to_thread(store.read_bytes) == before


async def test_a_price_may_be_supposed_where_none_was_set(store: Path) -> None:
    clock = AdvancedClock()
    ticks = await record_ticks(store, clock, 15)
    async with paused_at(store, clock, ticks[-1]) as screen:
        screen.feed.suppose_price(2.5)
        supposed = await screen.next()
        assert supposed.totals.usd_per_hour.value == 2.5
        assert supposed.totals.idle_usd_today.value == pytest.approx(2.5 * 14 / 3600)


async def test_what_is_supposed_of_the_past_does_not_touch_now(store: Path) -> None:
    async with recording(store, price=2.0) as (screen, _):
        for _ in range(3):
            await screen.pass_s(1)
        await screen.stored_now()
        screen.feed.step(-1)
        await screen.until(lambda s: s.mode == "paused")
        screen.feed.suppose_price(9.0)
        assert (await screen.until(lambda s: s.mode == "paused")).totals.usd_per_hour.value == 9.0
        screen.feed.go_live()
        assert (await screen.until(lambda s: s.mode == "live")).totals.usd_per_hour.value == 2.0


# --- windows --------------------------------------------------------------------------------------------------------


async def test_a_window_may_be_asked_for_while_live(store: Path) -> None:
    async with recording(store, price=2.0) as (screen, _):
        for _ in range(12):
            await screen.pass_s(1)
        now = await screen.stored_now()
        window = await screen.feed.window(now.tick_ms, 10_000)
        assert (window.from_ms, window.to_ms) == (now.tick_ms - 10_000, now.tick_ms)
        assert window.usd_per_hour.value == pytest.approx(2.0)
        assert window.gpus_idle.value == 1.0
        assert window.power_w.value == pytest.approx(100.0)


async def test_a_window_over_a_gap_says_how_much_of_it_was_watched(store: Path) -> None:
    clock = AdvancedClock()
    _, second = await two_runs(store, clock)
    history = History(store)
    window = history.window(second[-1] - 1_000_000, second[-1])
    assert window.coverage == pytest.approx(0.038, abs=0.001)
    assert window.power_w.value == pytest.approx(100.0)
    assert history.window(0, 1000).tok_s.why == "nothing was recorded then"
    history.close()


# --- steps ----------------------------------------------------------------------------------------------------------


class CountedHistory(History):
    """Knows how often a View was built anew, which is what takes time."""

    views = 0

    def view_at(self, tick_ms: int, run: Run | None = None) -> View:
        self.views += 1
        return super().view_at(tick_ms, run)


async def test_a_long_step_back_builds_one_view_and_shows_what_short_ones_show(store: Path) -> None:
    ticks = await record_ticks(store, AdvancedClock(), 40)
    history = CountedHistory(store)
    cursor, on_foot = Cursor(history), Cursor(History(store))
    for each in (cursor, on_foot):
        each.seek(ticks[-1])
    before = history.views
    assert cursor.step(-30)
    assert history.views == before + 1
    assert all(on_foot.step(-1) for _ in range(30))
    assert cursor.snapshot("paused", "s") == on_foot.snapshot("paused", "s")
    assert cursor.step(-30)  # there are only nine more
    assert (cursor.tick_ms, cursor.step(-30)) == (ticks[0], False)
    cursor.close()
    on_foot.close()
