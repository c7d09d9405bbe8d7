"""The app: one feed in, frames out, keys to the feed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from textual.binding import Binding
from textual.command import CommandList
from textual.geometry import Region
from textual.widgets import Input

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import BOX, MARKS, NOW_MS, FakeFeed, at, nothing_found, replaying
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.frame import Frame, SnapshotArrived
from tokwatch.dashboard.screens.compare import ComparePage, CompareScreen
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.help import HelpPage, HelpScreen
from tokwatch.dashboard.screens.prompt import Prompt
from tokwatch.dashboard.screens.sources import SourcesScreen
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import GpuRows
from tokwatch.errors import CommandError
from tokwatch.feeds import Feed
from tokwatch.feeds.mark import Kind, Mark
from tokwatch.ledger.snapshot import Figure
from tokwatch.ledger.window_figures import WindowFigures
from tokwatch.store.errors import StoreError

Clock = Callable[[], float]


def text_of(app: TokwatchApp, kind: type[Canvas] = Canvas) -> str:
    """What the screen's widgets of a kind read."""
    shown = [canvas for canvas in app.screen.query(kind) if canvas.display]
    return "\n".join(line.text() for canvas in shown for line in canvas.draw(range(canvas.rows())))


def feed_of(app: TokwatchApp) -> FakeFeed:
    feed = app._feed
    assert isinstance(feed, FakeFeed)
    return feed


async def test_a_frame_stands_before_the_feed_exists(frozen: Clock) -> None:
    opened = asyncio.Event()

    async def open_feed() -> Feed:
        await opened.wait()
        return FakeFeed()

    app = TokwatchApp(open_feed, now=frozen)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "warming up" in text_of(app)
        assert "IDLE CAPACITY" in text_of(app)
        opened.set()
        await pilot.pause()
        await pilot.pause()
        assert "Qwen3-32B tp4" in text_of(app)


async def test_opening_says_what_it_is_busy_with(frozen: Clock) -> None:
    async def open_feed() -> Feed:
        app.say_starting("simulating the last three hours 40%")
        await asyncio.Event().wait()
        raise AssertionError

    app = TokwatchApp(open_feed, now=frozen)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "simulating the last three hours 40%" in text_of(app)


async def test_the_last_known_figures_are_shown_with_their_age_until_new_ones_come(frozen: Clock) -> None:
    opened = asyncio.Event()

    async def open_feed() -> Feed:
        await opened.wait()
        return FakeFeed()

    app = TokwatchApp(open_feed, first=replace(BOX, wall_ms=NOW_MS - 180_000), now=frozen)
    async with app.run_test(size=(120, 40)) as pilot:
        assert "3m old, warming up" in text_of(app)
        assert "12 431" in text_of(app)
        opened.set()
        await pilot.pause()
        await pilot.pause()
        assert "LIVE 1 s" in text_of(app)


def test_a_waiting_snapshot_is_replaced_by_a_later_one() -> None:
    assert SnapshotArrived(BOX).can_replace(SnapshotArrived(BOX))


async def test_a_feed_that_falls_silent_is_not_called_live() -> None:
    now_s = NOW_MS / 1000
    app = TokwatchApp(FakeFeed(), now=lambda: now_s)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "LIVE" in text_of(app)
        now_s += 42
        app._check_age()
        await pilot.pause()
        assert "NO DATA for 42s" in text_of(app)
        assert "LIVE" not in text_of(app)


async def test_the_feed_is_closed_at_the_end(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
    assert feed_of(app).closed


async def test_a_failure_the_user_can_act_on_ends_in_one_line(frozen: Clock) -> None:
    async def open_feed() -> Feed:
        raise CommandError("a demo runs already: give this one another file")

    app = TokwatchApp(open_feed, now=frozen)
    async with app.run_test() as pilot:
        await pilot.pause()
    assert app.return_code == 1
    assert isinstance(app.failure, CommandError)


async def test_a_defect_ends_with_its_traceback_and_without_what_its_frames_held(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: TokwatchApp) -> None:
        held = "a secret"
        raise RuntimeError(f"a defect of {len(held)} letters")

    app = make_app()
    monkeypatch.setattr(TokwatchApp, "action_help", fail)
    with pytest.raises(RuntimeError):
        async with app.run_test() as pilot:
            await pilot.press("question_mark")
    assert app.return_code == 1
    assert isinstance(app.failure, RuntimeError)
    said = capsys.readouterr().err
    assert "RuntimeError: a defect of 8 letters" in said
    assert "a secret" not in said


class DamagedFeed(FakeFeed):
    """Shows its moment, and fails at what else is asked of it."""

    async def jump(self, kind: Kind | None, *, forward: bool) -> Mark | None:
        raise StoreError("cut.db is damaged")

    async def window(self, end_ms: int, length_ms: int) -> WindowFigures:
        raise StoreError("cut.db is damaged")


@pytest.mark.parametrize("keys", ["n", "cc"])
async def test_a_question_that_the_feed_fails_at_ends_in_one_line(frozen: Clock, keys: str) -> None:
    feed = DamagedFeed()
    app = TokwatchApp(feed, now=frozen)
    async with app.run_test() as pilot:
        await pilot.pause()
        for key in keys:
            await pilot.press(key)
            feed.send(replace(BOX, tick_ms=BOX.tick_ms + 1000))
            await pilot.pause()
        await pilot.pause()
    assert app.return_code == 1
    assert str(app.failure) == "cut.db is damaged"


async def test_transport_keys_tell_the_feed(make_app: MakeApp) -> None:
    keys: dict[str, tuple[object, ...]] = {
        "space": ("pause",),
        "left": ("step", -1),
        "right": ("step", 1),
        "shift+left": ("step", -60),
        "shift+right": ("step", 60),
        "right_square_bracket": ("set_speed", 2.0),
        "left_square_bracket": ("set_speed", 1.0),
        "home": ("seek", at("10:50:38")),
        "end": ("go_live",),
    }
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*keys)
    assert feed_of(app).told == list(keys.values())


async def test_speeds_go_up_to_an_hour_a_second_and_stop(make_app: MakeApp) -> None:
    app = make_app(replaying())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press(*["right_square_bracket"] * 8)
    assert [speed for _, speed in feed_of(app).told] == [2, 5, 10, 60, 300, 3600, 3600, 3600]


async def test_space_plays_when_paused(make_app: MakeApp) -> None:
    app = make_app(replaying("paused"))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("space")
        assert feed_of(app).told == [("play",)]


async def test_space_at_the_end_of_a_replay_says_that_it_is_the_end() -> None:
    feed = FakeFeed([replaying("paused")], can_go_live=False)
    app = TokwatchApp(feed)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("space", "space")
        await pilot.pause()
        assert [note.message for note in app._notifications] == [
            "This is the end of the replay: home goes to its start."
        ]
        assert ("play",) not in feed.told


async def test_g_goes_to_a_time(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        for typed in ("13:30", "-10m", "2026-05-03 09:00"):
            await pilot.press("g")
            app.screen.query_one(Input).value = typed
            await pilot.press("enter")
            await pilot.pause()
            assert isinstance(app.screen, FleetScreen)
    assert feed_of(app).told == [("seek", at("13:30")), ("seek", NOW_MS - 600_000), ("seek", at("9:00", day=3))]


async def test_a_prompt_says_what_is_wrong_and_stays(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("dollar_sign", "minus", "3", "enter")
        assert isinstance(app.screen, Prompt)
        assert "above 0" in str(app.screen.query_one("#hint").render())
        await pilot.press("escape")
        assert feed_of(app).told == []


async def test_the_price_goes_to_the_feed(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("dollar_sign", *"2.35", "enter")
        await pilot.pause()
        assert feed_of(app).told == [("set_price", 2.35)]


async def test_in_the_past_a_price_is_a_what_if_that_the_header_tells_and_that_can_be_taken_back(
    make_app: MakeApp,
) -> None:
    app = make_app(replaying("paused"), stored=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("dollar_sign", *"3.5", "enter")
        await pilot.pause()
        app._check_age()
        await pilot.pause()
        assert "WHAT IF $3.50/h" in text_of(app)
        await pilot.press("dollar_sign", "enter")
        await pilot.pause()
        app._check_age()
        await pilot.pause()
        assert "WHAT IF" not in text_of(app)
        assert feed_of(app).told == [("suppose_price", 3.5), ("suppose_price", None)]


async def test_while_live_nothing_is_marked_as_a_what_if(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        feed_of(app).what_if = 3.5
        app._check_age()
        await pilot.pause()
        assert "WHAT IF" not in text_of(app)


async def test_n_jumps_to_marks_and_m_to_those_of_a_kind(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        feed_of(app).marks = MARKS
        for keys in (("n",), ("N",), ("m", "a"), ("m", "R"), ("m", "escape")):
            await pilot.press(*keys)
            await pilot.pause()
        told = [("jump", None, True), ("jump", None, False), ("jump", "alert", True), ("jump", "restart", False)]
        assert feed_of(app).told == told
        assert isinstance(app.screen, FleetScreen)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("n",), "No mark after this moment."),
        (("m", "P"), "No price before this moment."),
        (("m", "R"), "127.0.0.1:8001 restarted"),
    ],
)
async def test_a_jump_says_where_it_went_or_that_there_is_nothing(
    make_app: MakeApp, keys: tuple[str, ...], words: str
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 20)) as pilot:  # too low for the strip, so that a note says it
        await pilot.pause()
        feed_of(app).marks = tuple(mark for mark in MARKS if mark.kind != "price")
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.pause()
        assert [note.message for note in app._notifications] == [words]


async def test_the_second_c_shows_both_moments_side_by_side(make_app: MakeApp) -> None:
    app = make_app(replace(replaying("paused"), tick_ms=at("12:00"), wall_ms=at("12:00")))
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        await pilot.press("c")
        assert [note.message[:23] for note in app._notifications] == ["12:00:00 is marked as A"]
        await pilot.press("c")
        assert [note.message[:33] for note in app._notifications] == ["This is the moment marked as A: g"]
        assert isinstance(app.screen, FleetScreen)
        feed_of(app).send(replace(replaying("paused"), tick_ms=at("14:00")))
        await pilot.pause()
        await pilot.press("c")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, CompareScreen)
        text = text_of(app, ComparePage)
        assert "the 10 min before each moment" in text
        assert re.search(r"output +tok/s +6 216 +12 431 +\+100 %", text)
        await pilot.press("right_square_bracket", "x")
        await pilot.pause()
        await pilot.pause()
        text = text_of(app, ComparePage)
        assert "the 30 min before each moment" in text
        assert re.search(r"output +tok/s +12 431 +6 216 +−50 %", text)
        await pilot.press("escape")
        assert isinstance(app.screen, FleetScreen)
    asked = {call for call in feed_of(app).told if call[0] == "window"}
    assert asked == {("window", at(clock), length) for clock in ("12:00", "14:00") for length in (600_000, 1_800_000)}


async def test_a_time_beyond_what_is_stored_is_told_to_be_so(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("g")
        app.screen.query_one(Input).value = "yesterday 9:00"
        await pilot.press("enter")
        await pilot.pause()
        [note] = app._notifications
        assert note.message == "That is before the first moment that is stored, 2026-05-04 10:50:38."


async def test_who_only_watches_another_recorder_is_told_where_its_price_is_set(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        feed_of(app).takes_prices = False
        await pilot.press("dollar_sign")
        assert isinstance(app.screen, FleetScreen)
        assert feed_of(app).told == []
        assert any("--price" in note.message for note in app._notifications)


async def test_with_nothing_found_sources_opens_and_goes_when_something_comes(frozen: Clock) -> None:
    feed = FakeFeed([nothing_found()])
    app = TokwatchApp(feed, now=frozen)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, SourcesScreen)
        feed.send(BOX)
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, FleetScreen)


async def test_d_on_sources_asks_for_the_demo(make_app: MakeApp) -> None:
    app = make_app(nothing_found())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("6", "d")
        await pilot.pause()
    assert app.return_value == "demo"


async def test_help_lists_every_key_of_the_app(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = text_of(app, HelpPage)
        assert all(binding.description in text for binding in TokwatchApp.BINDINGS if isinstance(binding, Binding))
        await pilot.press("escape")
        assert isinstance(app.screen, FleetScreen)


async def test_the_command_palette_has_every_action(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        commands["Pause or play"].callback()
        await pilot.pause()
        assert feed_of(app).told == [("pause",)]


@pytest.mark.parametrize("size", [(120, 40), (20, 5), (1, 1)])
async def test_page_keys_in_the_palette_do_no_harm_before_it_has_room(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p", "pageup", "pagedown")
        await pilot.press("t", "down", "pageup", "pagedown")
        assert app.screen.query(CommandList)


async def test_the_cursor_stops_at_both_ends_and_scrolls(frozen: Clock) -> None:
    from tests.dashboard.snapshots import many_gpus

    app = TokwatchApp(FakeFeed([many_gpus()]), now=frozen)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        rows = app.screen.query_one(GpuRows)
        await pilot.press("k")
        assert rows.cursor == 0
        await pilot.press(*["pagedown"] * 9)
        assert rows.cursor == 63
        assert rows.scroll_offset.y == 64 - rows.size.height


async def test_the_theme_changes_under_the_drawn_lines(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.pause()
        before = app.screen.query_one(GpuRows).render_line(0)
        await pilot.press("t")
        await pilot.pause()
        assert list(app.screen.query_one(GpuRows).render_line(0)) != list(before)


@pytest.mark.parametrize(("kind", "badge"), [("simulated", "SIMULATED"), ("imported", "IMPORTED")])
@pytest.mark.parametrize("width", [60, 120])
async def test_what_was_not_recorded_here_says_so_at_any_width(
    make_app: MakeApp, kind: str, badge: str, width: int
) -> None:
    app = make_app(replace(BOX, kind=kind))
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        assert badge in text_of(app)


async def test_while_replaying_the_screen_says_where_it_stands(make_app: MakeApp) -> None:
    app = make_app(replace(replaying(), tick_ms=at("13:03:22"), wall_ms=at("13:03:22")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = text_of(app)
        assert "REPLAY 1×" in text
        assert "1h 00m behind" in text
        assert re.search(r"10:50 ━+▼─+ 14:03", text)
        assert re.search(r"2026-05-04 13:03:22 +1×  end live", text)


async def test_only_what_changed_is_repainted(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        fleet = app.screen
        assert isinstance(fleet, FleetScreen)
        repainted: list[tuple[str, Region]] = []

        def refresh(canvas: Canvas, *regions: Region) -> None:
            repainted.extend((type(canvas).__name__, region) for region in regions or (canvas.size.region,))

        monkeypatch.setattr(Canvas, "refresh", refresh)
        fleet.show(replace(app.frame))
        assert repainted == []
        warmer = replace(BOX.gpus[3], temperature_c=Figure(62))
        later = replace(BOX, wall_ms=NOW_MS + 1000, gpus=(*BOX.gpus[:3], warmer, *BOX.gpus[4:]))
        fleet.show(Frame(later))
        assert repainted == [("Clock", Region(7, 0, 1, 1)), ("GpuRows", Region(118, 3, 1, 1))]


@pytest.mark.parametrize("size", [(40, 10), (60, 15), (80, 24), (97, 33), (113, 34), (300, 90)])
async def test_odd_sizes_are_drawn(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert "serving" in text_of(app)
