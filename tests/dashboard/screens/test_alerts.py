"""The Alerts screen: what is listed in which order, where the keys lead, and what is told to the recorder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.dashboard.baseline import text_of
from tests.dashboard.conftest import MakeApp
from tests.dashboard.scenes.alert_past import nothing_around
from tests.dashboard.scenes.alerts import DEAR, EVERYTHING, FIRING, FREE, LOST, MUTE, MUTED, PARKED, PENDING
from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed, all_at_work, at, nothing_found
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.alert import AlertScreen
from tokwatch.dashboard.screens.alerts import AlertsScreen
from tokwatch.dashboard.screens.gpu import GpuScreen
from tokwatch.dashboard.screens.mute_prompt import MutePrompt
from tokwatch.dashboard.widgets.alert_rows import Section, covering_ids, rows_of
from tokwatch.dashboard.widgets.alert_table import AlertTable
from tokwatch.dashboard.widgets.alert_words import rule_words, say_of, when
from tokwatch.feeds.questions.alert_past import AlertPast, AlertsAround
from tokwatch.ledger.alerts.rules import STATE_RULES
from tokwatch.ledger.figure_path import figure_at
from tokwatch.ledger.snapshot import Snapshot

WIDE, SMALL = (120, 40), (80, 24)
HOUR_MS = 3_600_000


async def after(
    app: TokwatchApp, *keys: str, size: tuple[int, int] = WIDE
) -> tuple[list[str], list[tuple[object, ...]]]:
    """What is on the screen after the keys, and what the feed was told."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in ("5", *keys):
            await pilot.press(key)
            await all_answered(app)
            await pilot.pause()
        feed = app.ready_feed()
        assert isinstance(feed, FakeFeed)
        return text_of(app), [told for told in feed.told if told[0] != "ask"]


def said(app: TokwatchApp) -> list[str]:
    return [note.message for note in app._notifications]


@pytest.fixture
def quiet(make_app: MakeApp) -> Callable[[Snapshot], TokwatchApp]:
    """An app whose past adds nothing."""

    def make(snapshot: Snapshot) -> TokwatchApp:
        app = make_app(snapshot)
        feed = app._source
        assert isinstance(feed, FakeFeed)
        feed.answers[AlertPast] = nothing_around
        return app

    return make


# --- the list ---------------------------------------------------------------------------------------------------------


async def test_troubles_come_first_then_faults_then_alerts(make_app: MakeApp) -> None:
    lines, _ = await after(make_app(EVERYTHING))
    words = [line[5:].split()[0] for line in lines[5:11]]
    assert words == ["tokwatch", "fault", "lost", "saturated", "free", "parked"]


def test_sections_are_in_the_order_in_which_they_matter() -> None:
    around = AlertsAround(pending=(PENDING,), over=(replace(PARKED, status="resolved"),), mutes=(MUTE,))
    names = [row.name for row in rows_of(EVERYTHING, around) if isinstance(row, Section)]
    assert names == ["now 6", "pending 1", "resolving 1", "over 1", "muted 1"]


async def test_the_closing_row_adds_up_what_fires(make_app: MakeApp) -> None:
    lines, _ = await after(make_app(EVERYTHING))
    (closing,) = [line for line in lines if "4 firing" in line]
    assert closing.split()[-3:] == ["$6.94", "$166.42", "$6.51"]


async def test_at_80_columns_glyph_word_since_place_words_and_dollars_remain(make_app: MakeApp) -> None:
    lines, _ = await after(make_app(FIRING), size=SMALL)
    assert lines[1].split() == ["ALERT", "SINCE", "WHERE", "WHAT", "SO", "FAR"]
    (free,) = [line for line in lines if "free" in line]
    assert free.split() == ["○", "free", "11:58", "gpu", "7", "no", "process", "for", "2", "h", "05", "min", "$4.77"]


async def test_with_nothing_to_say_it_says_so_and_which_rules_watch(quiet: Callable[[Snapshot], TokwatchApp]) -> None:
    lines, _ = await after(quiet(all_at_work()))
    assert "nothing wants attention" in lines[4]
    assert sum(any(rule.text in line for rule in STATE_RULES) for line in lines) == len(STATE_RULES)


@pytest.mark.parametrize("size", [SMALL, (200, 60)])
@pytest.mark.parametrize("snapshot", [EVERYTHING, nothing_found()], ids=["everything", "nothing"])
async def test_nothing_is_longer_than_the_terminal(
    make_app: MakeApp, snapshot: Snapshot, size: tuple[int, int]
) -> None:
    app = make_app(snapshot)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await all_answered(app)
        await pilot.pause()
        assert app.screen.virtual_size == app.screen.size


async def test_every_figure_of_an_alert_that_stands_says_which_it_is(make_app: MakeApp) -> None:
    app = make_app(EVERYTHING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await all_answered(app)
        await pilot.pause()
        spots = [spot for line in app.screen.query_one(AlertTable).drawn() for spot in line.spots]
    assert {spot.path.field for spot in spots} == {"usd_per_hour", "usd_per_day", "usd_so_far"}
    assert all(figure_at(EVERYTHING, spot.path) is not None for spot in spots)


def test_what_an_alert_says_begins_with_why_nobody_is_told_and_whether_it_holds() -> None:
    assert say_of(MUTED, BOX).startswith("muted until 22:03 (kept warm for the demo); Llama")
    assert say_of(replace(LOST, stale_since_ms=at("14:01"), inhibited_by="lost"), BOX) == (
        "inhibited by lost; stale since 14:01; GPU lost"
    )
    assert say_of(replace(PARKED, muted_gpus=(6,)), BOX).startswith("gpu 6 muted; ")


def test_a_time_of_the_day_stands_for_one_moment_only() -> None:
    assert when(at("14:04", 3), BOX) == "14:04"
    assert when(at("14:03", 3), BOX) == "3 May"


def test_rules_say_when_they_fire_to_the_second() -> None:
    told = {rule.key: rule_words(rule) for rule in STATE_RULES}
    assert told["backlog"].endswith("info after 30s, warning from 270s")
    assert told["parked"] == "loaded, no request: info after 5m, warning from 30m"


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_enter_opens_the_gpu_of_an_alert_and_all_of_one_without(make_app: MakeApp) -> None:
    for alert, screen in ((FREE, GpuScreen), (DEAR, AlertScreen)):
        app = make_app(replace(BOX, alerts=(alert,)))
        async with app.run_test(size=WIDE) as pilot:
            await pilot.pause()
            await pilot.press("5", "enter")
            await pilot.pause()
            assert isinstance(app.screen, screen)
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app.screen, AlertsScreen)


async def test_b_goes_back_to_the_moment_it_began(make_app: MakeApp) -> None:
    _, told = await after(make_app(replace(BOX, alerts=(FREE,))), "b")
    assert ("seek", FREE.since_ms) in told


async def test_a_mute_needs_an_end_and_a_reason_and_is_told_with_the_gpus_by_their_ids(make_app: MakeApp) -> None:
    _, told = await after(make_app(replace(BOX, alerts=(FREE,))), "u", "8", "h", "enter", "d", "e", "m", "o", "enter")
    assert told == [("mute", "unallocated", ("GPU-7",), NOW_MS + 8 * HOUR_MS, "demo")]


@pytest.mark.parametrize("keys", [("8", "h", "enter", "enter"), ("x", "enter", "enter")], ids=["reason", "end"])
async def test_a_mute_without_a_reason_or_an_end_stays_a_question(make_app: MakeApp, keys: tuple[str, ...]) -> None:
    app = make_app(replace(BOX, alerts=(FREE,)))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("5", "u", *keys)
        await pilot.pause()
        assert isinstance(app.screen, MutePrompt)
        feed = app.ready_feed()
        assert isinstance(feed, FakeFeed)
        assert not any(told[0] == "mute" for told in feed.told)


async def test_in_the_past_nothing_is_muted_and_it_says_why(make_app: MakeApp) -> None:
    app = make_app(replace(FIRING, mode="paused"))
    _, told = await after(app, "u", "U")
    assert told == []
    assert {note.split(":")[0] for note in said(app)} == {"Mutes hold from now on"}


async def test_what_the_store_refuses_is_said(make_app: MakeApp) -> None:
    app = make_app(replace(BOX, alerts=(FREE,)))
    feed = app._source
    assert isinstance(feed, FakeFeed)
    feed.refuses = "cannot write the store"
    await after(app, "u", "1", "h", "enter", "a", "enter")
    assert "cannot write the store" in said(app)


async def test_unmuting_an_alert_ends_the_mutes_that_cover_it(make_app: MakeApp) -> None:
    _, told = await after(make_app(replace(BOX, alerts=(MUTED,))), "U")
    assert told == [("unmute", (MUTE.id,))]


async def test_only_what_is_muted_can_be_unmuted(make_app: MakeApp) -> None:
    app = make_app(replace(BOX, alerts=(FREE,)))
    _, told = await after(app, "U")
    assert told == []
    assert "No mute" in said(app)[-1]


def test_a_mute_of_a_whole_host_covers_alerts_on_its_gpus_and_on_its_figures() -> None:
    everywhere = replace(MUTE, state="", gpu="", host=BOX.host)
    assert covering_ids(MUTED, BOX, (everywhere,)) == covering_ids(DEAR, BOX, (everywhere,)) == (MUTE.id,)
    assert covering_ids(FREE, BOX, (MUTE,)) == ()
    of_a_model = replace(MUTE, gpu="", model="meta-llama/Llama-3.1-8B-Instruct")
    assert covering_ids(PARKED, BOX, (of_a_model,)) == (MUTE.id,)


async def test_the_past_is_asked_when_something_changed_and_not_every_tick(make_app: MakeApp) -> None:
    app = make_app(FIRING)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("5")
        await all_answered(app)
        for snapshot in (
            replace(FIRING, tick_ms=NOW_MS + 1000),
            replace(FIRING, tick_ms=NOW_MS + 2000, alerts=(FREE,)),
            replace(FIRING, tick_ms=NOW_MS + 3000, alerts=(FREE,)),
        ):
            app.frame = replace(app.frame, snapshot=snapshot)
            await pilot.pause()
            await all_answered(app)
        feed = app.ready_feed()
        assert isinstance(feed, FakeFeed)
        assert sum(told[0] == "ask" and isinstance(told[1], AlertPast) for told in feed.told) == 2
