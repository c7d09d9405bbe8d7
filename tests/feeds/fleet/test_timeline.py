"""The fleet's timeline: now at every interval, the past where there is one, and failures that are told on screen."""

from __future__ import annotations

import asyncio

import pytest

from tests.feeds.fleet.scripted import Followed, ScriptedSource
from tests.feeds.quiet_box import NOON_MS, AdvancedClock
from tokwatch.feeds.fleet.timeline import LONGEST_WAIT_S
from tokwatch.ledger.fleet.tally import HostKey


@pytest.fixture
def source() -> ScriptedSource:
    return ScriptedSource(AdvancedClock())


async def test_it_asks_at_every_interval(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        first = await timeline.next()
        assert (first.mode, first.at_ms, first.total.tok_s.value) == ("live", NOON_MS, 1_000)
        second = await timeline.after(5)
        assert second.at_ms == NOON_MS + 5_000
        assert source.asked == [("now", NOON_MS), ("now", NOON_MS + 5_000)]


async def test_a_failure_is_a_problem_on_what_was_last_known(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        source.failure = "prom:9090 refuses the connection: is it running?"
        failed = await timeline.after(5)
        assert failed.problems == ("prom:9090 refuses the connection: is it running?; asked again in 10 s",)
        assert failed.hosts[0].age_s == 5.0
        assert not failed.hosts[0].stale


async def test_what_is_not_told_any_more_grows_stale(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        source.failure = "gone"
        await timeline.after(5)
        failed = await timeline.after(20)
        assert (failed.hosts[0].age_s, failed.hosts[0].stale) == (25.0, True)


async def test_it_asks_ever_more_seldom_and_comes_back(source: ScriptedSource) -> None:
    source.failure = "gone"
    async with Followed(source) as timeline:
        first = await timeline.next()
        assert (first.hosts, first.total.hosts) == ((), 0)
        waits = [10.0, 20.0, 40.0, LONGEST_WAIT_S, LONGEST_WAIT_S]
        for wait_s in waits[:-1]:
            assert (await timeline.after(wait_s)).problems
        source.failure = ""
        assert (await timeline.after(waits[-1])).problems == ()
        source.failure = "gone again"
        await timeline.after(5)
        source.failure = ""
        assert (await timeline.after(10)).problems == ()


async def test_a_pause_shows_what_stood_there_and_asks_nobody(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.pause()
        paused = await timeline.next()
        assert (paused.mode, paused.at_ms) == ("paused", NOON_MS)
        assert source.asked == [("now", NOON_MS)]


async def test_steps_are_intervals_of_the_source(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.step(-1)
        timeline.feed.step(-1)
        stepped = await timeline.next()
        assert (stepped.mode, stepped.at_ms) == ("paused", NOON_MS - 10_000)
        assert source.asked[1:] == [("at", NOON_MS - 10_000)]  # the first of two keys is not waited for


async def test_nothing_is_looked_at_outside_of_the_span(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.seek(0)
        assert (await timeline.next()).at_ms == NOON_MS - 3_600_000
        timeline.feed.step(10_000)
        assert (await timeline.next()).at_ms == NOON_MS


async def test_it_plays_on_at_its_speed_and_catches_up(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.seek(NOON_MS - 60_000)
        await timeline.next()
        timeline.feed.set_speed(10)
        timeline.feed.play()
        assert (await timeline.next()).mode == "replay"
        played = await timeline.after(0.5)
        assert played.at_ms == NOON_MS - 55_000
        timeline.feed.set_speed(3600)
        caught_up = await timeline.after(0.5)
        assert (caught_up.mode, caught_up.at_ms) == ("live", NOON_MS + 1_000)


async def test_a_replay_stands_still_at_its_end(source: ScriptedSource) -> None:
    source.end_ms = NOON_MS
    async with Followed(source, start_ms=NOON_MS - 5_000, can_go_live=False) as timeline:
        assert (await timeline.next()).mode == "replay"
        ended = await timeline.after(60)
        assert (ended.mode, ended.at_ms) == ("paused", NOON_MS)
        timeline.feed.go_live()  # the end is all there is
        assert (await timeline.next()).mode == "paused"


async def test_back_to_now(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.step(-1)
        await timeline.next()
        timeline.feed.go_live()
        assert (await timeline.next()).mode == "live"


async def test_a_source_without_a_past_says_so_on_what_is_shown(source: ScriptedSource) -> None:
    source.past_ms = None
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.step(-1)
        shown = await timeline.next()
        assert (shown.mode, shown.at_ms) == ("paused", NOON_MS)
        assert shown.problems == ("agents keep no past: record them to have one",)


async def test_a_key_does_not_wait_for_an_answer_of_now(source: ScriptedSource) -> None:
    source.hangs = asyncio.Event()
    async with Followed(source) as timeline:
        coming = asyncio.ensure_future(timeline.next())
        await asyncio.sleep(0)
        timeline.feed.seek(NOON_MS)
        assert (await coming).mode == "paused"


async def test_a_door_is_opened_at_the_moment_on_screen(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        await timeline.next()
        assert (door := timeline.feed.door(HostKey("h1"))) is not None
        assert door.argv == ("look", "h1", "None")
        timeline.feed.step(-1)
        assert (door := timeline.feed.door(HostKey("h1"))) is not None
        assert door.argv == ("look", "h1", str(NOON_MS - 5_000))


async def test_its_own_cost_is_told_after_ten_seconds(source: ScriptedSource) -> None:
    async with Followed(source) as timeline:
        assert (await timeline.next()).cpu_share.why == "warming up"
        await timeline.after(5)
        timeline.cpu_s = 0.5
        assert (await timeline.after(5)).cpu_share.value == 0.05


async def test_closing_ends_the_snapshots_and_the_source(source: ScriptedSource) -> None:
    timeline = Followed(source)
    await timeline.next()
    await timeline.feed.close()
    with pytest.raises(StopAsyncIteration):
        await timeline.next()
    assert source.closed


# --- answers that are late, and keys meanwhile ------------------------------------------------------------------------


async def test_another_speed_holds_from_where_it_stands_at_once(source: ScriptedSource) -> None:
    source.interval_s = 15
    async with Followed(source, start_ms=NOON_MS - 3_000_000) as timeline:
        await timeline.next()
        coming = asyncio.ensure_future(timeline.next())
        await timeline.clock.asleep(1)
        timeline.clock.advance(10)
        timeline.feed.set_speed(60)
        assert (await coming).at_ms == NOON_MS - 2_990_000  # ten seconds at the speed of before
        assert (await timeline.after(0.5)).at_ms == NOON_MS - 2_960_000


async def test_time_that_passes_over_a_failure_is_not_played(source: ScriptedSource) -> None:
    async with Followed(source, start_ms=NOON_MS - 600_000, speed=60) as timeline:
        await timeline.next()
        source.failure = "gone"
        failed = await timeline.after(0.5)
        assert (failed.mode, failed.problems) == ("paused", ("gone",))
        source.failure = ""
        timeline.clock.advance(60)
        timeline.feed.play()
        assert (await timeline.next()).at_ms == NOON_MS - 570_000


async def test_nobody_waits_for_the_past_who_goes_back_to_now(source: ScriptedSource) -> None:
    source.past_hangs = asyncio.Event()
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.step(-1)
        coming = asyncio.ensure_future(timeline.next())
        await source.asked_for_past.wait()
        timeline.feed.go_live()
        assert (await coming).mode == "live"


async def test_what_is_sought_while_the_past_is_late_is_shown_in_the_end(source: ScriptedSource) -> None:
    source.past_hangs = asyncio.Event()
    async with Followed(source) as timeline:
        await timeline.next()
        timeline.feed.seek(NOON_MS - 60_000)
        coming = asyncio.ensure_future(timeline.next())
        await source.asked_for_past.wait()
        timeline.feed.seek(NOON_MS - 120_000)
        timeline.feed.seek(NOON_MS - 90_000)
        await asyncio.sleep(0)
        source.past_hangs.set()
        assert (await coming).at_ms == NOON_MS - 60_000
        assert (await timeline.next()).at_ms == NOON_MS - 90_000
