"""Frontier: the plane, what stands beside it, its keys, and that nothing of the future is on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.dashboard import snapshots
from tests.dashboard.scenes import frontier as scene
from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed, replaying
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.frontier import FrontierScreen, sections
from tokwatch.dashboard.terminal import Terminal
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.frontier_chart import FrontierChart
from tokwatch.dashboard.widgets.frontier_deployments import shown
from tokwatch.dashboard.widgets.frontier_now import FrontierNow
from tokwatch.dashboard.widgets.frontier_time import tenths_of_percent
from tokwatch.dashboard.widgets.frontier_view import read_box
from tokwatch.feeds.questions.operating_points import OperatingPoints
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.looking_back import OperatingPast, TimeInBox, time_in_box
from tokwatch.ledger.figure_path import FigurePath, figure_at
from tokwatch.ledger.snapshot import Snapshot

MINUTE_MS = 60_000
WIDE, SMALL = (120, 40), (80, 24)


class Asked:
    """A feed's answers, and what it was asked."""

    def __init__(self, answer: Callable[[OperatingPoints], OperatingPast | None] = scene.answer) -> None:
        self.questions: list[OperatingPoints] = []
        self._answer = answer

    def __call__(self, question: OperatingPoints) -> OperatingPast | None:
        self.questions.append(question)
        return self._answer(question)


def app_of(snapshot: Snapshot = BOX, asked: Asked | None = None, *, ascii_only: bool = False) -> TokwatchApp:
    feed = FakeFeed([snapshot], can_go_live=snapshot.mode == "live")
    if asked is not None:
        feed.answers[OperatingPoints] = asked
    return TokwatchApp(feed, terminal=Terminal(ascii_only=ascii_only), now=lambda: NOW_MS / 1000)


async def press(pilot: Pilot[str], *keys: str) -> str:
    """What the screen reads after some keys, its answers taken."""
    for key in keys:
        await pilot.press(key)
    for _ in range(3):
        await pilot.pause()
    canvases = [canvas for canvas in pilot.app.screen.query(Canvas) if canvas.display and canvas.size]
    return "\n".join(line.text() for canvas in canvases for line in canvas.draw(range(canvas.rows())))


async def text_after(app: TokwatchApp, *keys: str, size: tuple[int, int] = WIDE) -> str:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        return await press(pilot, "3", *keys)


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_the_plane_and_everything_beside_it() -> None:
    text = await text_after(app_of())
    for words in (
        "THROUGHPUT AGAINST INTERACTIVITY  output tok/s per GPU, against 1 / mean TPOT",
        "fast enough and cheap enough",
        "at least 40 tok/s per user",
        "at most $0.50 per M out",
        "bench 2 Nov",
        "best 11:42",
        "● inside the box",
        "◆ seen 11:42",
        "lost against the best",
        "5h 57m at work",
        "own reference",
        "box ≥ 40 tok/s per user and ≤ $0.50 per M out",
        "mix in : out 3.7 : 1",
        "coverage 99.0 %",
    ):
        assert words in text


async def test_a_small_terminal_keeps_the_plane_and_two_lines() -> None:
    text = await text_after(app_of(), size=SMALL)
    assert "fast enough and cheap enough" in text
    assert "1 551 tok/s/GPU   46.5 tok/s/user   $0.42/M out   ● inside the box" in text
    assert "inside 42.8 %" in text
    assert "BEST POINT" not in text


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60), (40, 10), (20, 5)])
async def test_it_fits_any_terminal(size: tuple[int, int]) -> None:
    app = app_of()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        assert app.screen.size == size
        for canvas in app.screen.query(Canvas):
            assert canvas.region.bottom <= size[1]


async def test_the_figures_of_now_can_be_pointed_at() -> None:
    app = app_of()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        spots = [spot for line in app.screen.query_one(FrontierNow).drawn() for spot in line.spots]
    found = {spot.path.field: figure_at(BOX, spot.path) for spot in spots}
    assert len(found) == 5
    assert all(figure is not None for figure in found.values())
    assert FigurePath("capacity", "now.usd_per_m_output", scene.ENTITY) in [spot.path for spot in spots]


async def test_in_ascii_nothing_is_lost() -> None:
    app = app_of(ascii_only=True)
    text = await text_after(app)
    assert text.isascii()
    assert text.count("?") == 1  # the key of help


async def test_without_a_box_the_key_that_sets_it_is_told() -> None:
    none = replace(BOX, capacity=tuple(replace(row, box=Box()) for row in BOX.capacity))
    asked = Asked(lambda question: scene.operating_past(question.at_ms, question.span_ms, Box()))
    text = await text_after(app_of(none, asked))
    assert "no box: b sets one here, [frontier] in config.toml for good" in text
    assert "inside the box" not in text


async def test_without_a_price_the_plane_stands_and_says_what_is_missing() -> None:
    def unpriced(question: OperatingPoints) -> OperatingPast:
        past = scene.operating_past(question.at_ms, question.span_ms)
        points = tuple(replace(point, usd_per_m_output=None, side="unknown") for point in past.points)
        return replace(past, points=points, best=points[-1], time=time_in_box(points), usd_per_gpu_hour=None)

    now = replace(scene.minute(NOW_MS, 1_551, 46.5), usd_per_m_output=None)
    text = await text_after(
        app_of(replace(BOX, capacity=(replace(BOX.capacity[0], now=now),)), Asked(unpriced)),
    )
    assert "$/M out" not in text
    assert "at most $0.50 per M out" not in text
    assert "at least 40 tok/s per user" in text
    assert "· side unknown" in text
    assert "– lost: no price set" in text


async def test_before_the_first_point_it_says_what_is_needed_and_until_when() -> None:
    text = await text_after(app_of(), "tab")
    assert "No point in the last 6 h" in text
    assert "the first comes at 14:05" in " ".join(text.split())
    assert "TIME IN THE BOX" not in text


async def test_without_a_deployment_it_says_where_to_look() -> None:
    assert "6 Sources says what was found" in " ".join(
        (await text_after(app_of(snapshots.nothing_found()), "3")).split()
    )


async def test_before_the_first_snapshot_it_says_what_is_going_on() -> None:
    app = TokwatchApp(FakeFeed([]), now=lambda: NOW_MS / 1000)
    assert "– warming up" in await text_after(app)


async def test_a_deployment_at_rest_has_no_now() -> None:
    resting = replace(BOX, capacity=tuple(replace(row, now=None) for row in BOX.capacity))
    text = await text_after(app_of(resting))
    assert "no tokens in the last minute" in text
    assert "best 11:42" in text
    assert "lost against" not in text


async def test_deployments_of_one_name_are_told_apart_by_their_gpus() -> None:
    first, second = BOX.capacity
    alike = replace(BOX, capacity=(first, replace(second, models=first.models)))
    text = await text_after(app_of(alike))
    assert "Qwen3-32B gpu 0–3" in text
    assert "Qwen3-32B gpu 4" in text


# --- keys -------------------------------------------------------------------------------------------------------------


async def test_tab_goes_through_the_deployments_and_round() -> None:
    asked = Asked()
    app = app_of(asked=asked)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3", "tab")
        await press(pilot, "tab")
        await press(pilot, "shift+tab")
    assert [question.entity for question in asked.questions] == [2, 3, 2, 3]


async def test_x_sets_other_axes_against_interactivity() -> None:
    asked = Asked()
    app = app_of(asked=asked)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        assert "$/M all" in (text := await press(pilot, "x"))
        assert "total tok/s per GPU" in text
        assert "at most $0.50" not in text  # the price is of output: it has no height here
        assert "per MW" in (text := await press(pilot, "x"))
        assert "$/M" not in text.splitlines()[4]
        await press(pilot, "x")
        assert "output tok/s per GPU" in await press(pilot, "x")
    assert len(asked.questions) == 1


async def test_plus_and_minus_change_the_span() -> None:
    asked = Asked()
    app = app_of(asked=asked)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        assert "last 24 h" in await press(pilot, "plus")
        assert "last 7 d" in await press(pilot, "plus")
        await press(pilot, "plus")
        assert "last 24 h" in await press(pilot, "minus")
    hours = [question.span_ms // 3_600_000 for question in asked.questions]
    assert hours == [6, 24, 168, 24]


async def test_r_hides_and_shows_own_references() -> None:
    app = app_of()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        assert "bench 2 Nov" in await press(pilot, "3")
        assert "bench 2 Nov" not in await press(pilot, "r")
        assert "bench 2 Nov" in await press(pilot, "r")


async def test_b_tries_another_box_on_screen_only() -> None:
    asked = Asked()
    app = app_of(asked=asked)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        text = await press(pilot, "b", "5", "0", "space", "minus", "enter")
        assert "box set here ≥ 50 tok/s per user" in text
        assert "▲ too slow" in text
        assert "at most" not in text
        text = await press(pilot, "b", "enter")
        assert "box ≥ 40 tok/s per user and ≤ $0.50 per M out" in text
    assert [question.box for question in asked.questions] == [None, Box(50), None]


async def test_escape_leads_back() -> None:
    app = app_of()
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        assert isinstance(app.screen, FrontierScreen)
        await press(pilot, "escape")
        assert not isinstance(app.screen, FrontierScreen)


# --- time -------------------------------------------------------------------------------------------------------------


def at(ms: int, mode: str = "replay") -> Snapshot:
    return replace(replaying(mode), tick_ms=ms, wall_ms=ms, capacity=scene.capacity(ms))


async def test_the_past_is_asked_once_a_minute() -> None:
    asked = Asked()
    app = app_of(asked=asked)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        feed = app._feed
        assert isinstance(feed, FakeFeed)
        for second in (1, 2, 20):
            feed.send(replace(BOX, tick_ms=NOW_MS + second * 1000))
            await pilot.pause()
        assert len(asked.questions) == 1
        feed.send(replace(BOX, tick_ms=NOW_MS + MINUTE_MS, capacity=scene.capacity(NOW_MS + MINUTE_MS)))
        await press(pilot)
    assert [question.at_ms for question in asked.questions] == [NOW_MS, NOW_MS + MINUTE_MS]


async def test_moved_back_in_time_it_knows_no_future() -> None:
    asked = Asked()
    app = app_of(at(NOW_MS), asked)
    earlier_ms = NOW_MS - 60 * MINUTE_MS
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        feed = app._feed
        assert isinstance(feed, FakeFeed)
        feed.send(at(earlier_ms, "paused"))
        await press(pilot)
        view = app.screen.query_one(FrontierChart).view
    assert view is not None
    assert view.past is not None
    assert max(point.to_ms for point in view.past.points) <= earlier_ms
    assert asked.questions[-1].at_ms == earlier_ms


async def test_what_is_not_asked_anew_yet_forgets_what_came_later() -> None:
    late = scene.operating_past(NOW_MS)
    asked = Asked(lambda _: late)  # an answer that is always too new
    earlier_ms = NOW_MS - 60 * MINUTE_MS
    app = app_of(at(earlier_ms, "paused"), asked)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await press(pilot, "3")
        view = app.screen.query_one(FrontierChart).view
    assert view is not None
    assert view.past is not None
    assert max(point.to_ms for point in (*view.past.points, *view.past.frontier)) <= earlier_ms


async def test_in_the_past_the_marks_carry_the_time() -> None:
    text = await text_after(app_of(at(NOW_MS)))
    assert "AT 14:03" in text
    assert "● now" not in text


# --- parts ------------------------------------------------------------------------------------------------------------


@given(st.integers(-5, 60))
def test_sections_fit_their_room_and_go_from_the_end(room: int) -> None:
    rows = sections(room)
    assert sum(rows) + max(0, sum(row > 0 for row in rows) - 1) <= max(0, room)
    assert [row > 0 for row in rows] == sorted((row > 0 for row in rows), reverse=True)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.data(), st.integers(0, 120))
def test_the_current_deployment_is_always_among_those_shown(widths: list[int], data: st.DataObject, room: int) -> None:
    current = data.draw(st.integers(0, len(widths) - 1))
    first, end = shown(widths, current, room)
    assert first <= current < end
    if end - first > 1:
        assert sum(widths[first:end]) + end - first - 1 <= room


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=5).filter(any))
def test_shares_of_time_add_up_to_a_hundred_per_cent(ms: list[int]) -> None:
    assert sum(tenths_of_percent(TimeInBox(*ms))) == 1000


@pytest.mark.parametrize(
    ("typed", "box"),
    [
        ("40 0.50", Box(40, 0.5)),
        ("40 $0,5", Box(40, 0.5)),
        ("40", Box(40)),
        ("- 0.5", Box(None, 0.5)),
        ("  ", None),
    ],
)
def test_a_box_is_read_as_two_numbers(typed: str, box: Box | None) -> None:
    assert read_box(typed) == box


@pytest.mark.parametrize("typed", ["x", "40 0.5 3", "-1", "nan", "inf 2", "0"])
def test_what_is_no_box_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_box(typed)
