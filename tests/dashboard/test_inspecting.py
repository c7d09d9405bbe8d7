"""i: pointing at any figure of any screen, and reading where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import BOX, FakeFeed, many_gpus, replaying
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.explaining import Fact, tell
from tokwatch.dashboard.pointing import targets
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.screens.inspect import InspectPage, InspectScreen
from tokwatch.dashboard.widgets.footer import Footer
from tokwatch.dashboard.widgets.inspector import Inspector, fitted, where
from tokwatch.dashboard.widgets.pointer import Pointer
from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figure_path import FigurePath

SIZES = [(80, 24), (120, 40), (200, 60)]


async def settle(pilot: Pilot[Any]) -> None:
    for _ in range(2):
        await pilot.pause()


async def press(pilot: Pilot[Any], *keys: str) -> None:
    await settle(pilot)
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def inspector(app: TokwatchApp) -> Inspector:
    return app.screen.query_one(Inspector)


def read(app: TokwatchApp) -> str:
    return "\n".join(line.text().rstrip() for line in inspector(app).drawn())


def pointed(app: TokwatchApp) -> str:
    return app.screen.query_one(Pointer).drawn()[0].text()


def assert_panel_stands_clear(app: TokwatchApp) -> None:
    panel, target = inspector(app).region, inspector(app).target
    assert not panel.y <= target.y < panel.bottom
    assert panel.bottom <= app.screen.query_one(Footer).region.y
    assert panel.y >= 1


@pytest.mark.parametrize("size", SIZES)
async def test_it_points_at_the_row_under_the_cursor_and_tells_of_it(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await press(pilot, "down", "i")
        assert inspector(app).target.path.key == BOX.gpus[1].entity
        assert pointed(app) == "[1 551]"
        assert "output of GPU 1" in read(app)
        assert "numbers" in read(app)
        assert "vllm:generation_tokens_total on 127.0.0.1:8000" in read(app)
        assert_panel_stands_clear(app)


@given(st.integers(24, 100), st.integers(1, 3), st.data())
def test_the_panel_is_never_over_the_figure_and_moves_no_more_than_it_must(
    height: int, below: int, data: st.DataObject
) -> None:
    rows = st.integers(1, height - below - 1)
    place = where(data.draw(rows), height, below)
    for y in data.draw(st.lists(rows, max_size=5)):
        before, place = place, where(y, height, below, before=place)
        assert not place.y <= y < place.y + place.rows
        assert 1 <= place.y <= height - below - place.rows
        assert place == before or before.y <= y < before.y + before.rows


async def test_arrows_and_vim_keys_move_to_the_neighbour_across_widgets(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i", "right")
        assert inspector(app).target.path.field == "tok_per_j"
        await press(pilot, "j")
        assert inspector(app).target.path.key == BOX.gpus[1].entity
        await press(pilot, "k", "k")
        assert inspector(app).target.path.of == "totals"  # a tile
        await press(pilot, "h", "h", "h")
        assert inspector(app).target.path.field in ("tok_s", "tok_s_all")


async def test_going_down_a_long_list_scrolls_it(make_app: MakeApp) -> None:
    app = make_app(many_gpus(64))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "i", *["down"] * 20)
        assert inspector(app).target.path == FigurePath("gpu", "tok_s", many_gpus(64).gpus[20].entity)
        await press(pilot, *["up"] * 18)
        assert inspector(app).target.path == FigurePath("gpu", "tok_s", many_gpus(64).gpus[2].entity)


async def test_escape_ends_it_and_the_keys_are_the_screens_again(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i")
        assert "figure" in app.screen.query_one(Footer).drawn()[0].text()
        await press(pilot, "escape")
        assert not app.screen.query(Inspector)
        assert not app.screen.query(Pointer)
        assert "help" in app.screen.query_one(Footer).drawn()[0].text()
        await press(pilot, "i", "escape", "down", "i")
        assert inspector(app).target.path.key == BOX.gpus[1].entity


async def test_another_tab_ends_it(make_app: MakeApp) -> None:
    app = make_app()
    feed = app._source
    assert isinstance(feed, FakeFeed)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i", "6")
        feed.send(replace(BOX, tick_ms=BOX.tick_ms + 1000))
        await press(pilot, "1")
        assert not app.screen.query(Inspector)


async def test_it_follows_the_frames(make_app: MakeApp) -> None:
    app = make_app()
    feed = app._source
    assert isinstance(feed, FakeFeed)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i")
        later = replace(BOX.gpus[0], tok_s=Figure(1_702.5))
        feed.send(replace(BOX, tick_ms=BOX.tick_ms + 1000, gpus=(later, *BOX.gpus[1:])))
        await settle(pilot)
        assert pointed(app) == "[1 703]" or pointed(app) == "[1 702]"
        assert "1 702.5 tok/s" in read(app)


async def test_the_store_is_asked_once_a_moment_and_the_moment_is_that_on_screen(make_app: MakeApp) -> None:
    app = make_app(replaying("paused"))
    feed = app._source
    assert isinstance(feed, FakeFeed)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i")
        feed.send(replaying("paused"))
        await settle(pilot)
        asked = [told[1] for told in feed.told if told[0] == "ask" and isinstance(told[1], Explanation)]
        assert asked == [Explanation(inspector(app).target.path, replaying("paused").tick_ms)]


async def test_time_keys_still_work(make_app: MakeApp) -> None:
    app = make_app()
    feed = app._source
    assert isinstance(feed, FakeFeed)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i", "space")
        assert ("pause",) in feed.told
        await press(pilot, "left")
        assert not [told for told in feed.told if told[0] == "step"]


async def test_a_press_of_the_mouse_points_at_a_figure(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i")
        assert isinstance(app.screen, FrameScreen)
        other = next(
            one for one in targets(app.screen.canvases) if one.path.field == "power_w" and one.path.of == "gpu"
        )
        await pilot.click(offset=(other.x + 1, other.y))
        await settle(pilot)
        assert inspector(app).target.path == other.path


async def test_enter_opens_the_whole_page_and_escape_leads_back_to_pointing(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "i", "enter")
        assert isinstance(app.screen, InspectScreen)
        page = app.screen.query_one(InspectPage).as_text()
        assert "output tokens: 93 060 tokens" in page
        assert "shared out\n              evenly over" in page  # to its end
        await press(pilot, "escape")
        assert pointed(app) == "[1 551]"


async def test_y_copies_the_figure(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[tuple[str, str]] = []
    monkeypatch.setattr(
        "tokwatch.dashboard.taking_away.copy_text", lambda app, text, what, **_: copied.append((text, what))
    )
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i", "y")
    assert copied == [("1 551 tok/s", "output of GPU 0")]


async def test_before_there_is_any_figure_it_says_so(frozen: Callable[[], float]) -> None:
    app = TokwatchApp(FakeFeed([]), now=frozen)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "i")
        assert not app.screen.query(Inspector)
        assert [note.message for note in app._notifications] == ["There is no figure on this screen yet."]


async def test_in_ascii_the_panel_and_the_pointer_are_ascii(make_app: MakeApp) -> None:
    app = make_app(ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "i")
        assert read(app).isascii()
        assert pointed(app) == "[1 551]"
        assert "?" not in read(app)


@pytest.mark.parametrize("screen", ["2", "3", "4", "5", "6"])
async def test_on_every_screen_whatever_is_pointed_at_is_explained(make_app: MakeApp, screen: str) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, screen, "i")
        if not app.screen.query(Inspector):
            return  # no figure of the Snapshot stands there
        assert isinstance(app.screen, FrameScreen)
        for target in targets(app.screen.canvases):
            told = tell(BOX, target.path)
            assert next(fact.label for fact in told.facts) == "formula", target.path


def test_rows_that_are_left_over_go_to_the_facts_that_need_more() -> None:
    facts = [Fact("formula", "one two three four"), Fact("window", "five")]
    assert [fact.text for fact in fitted(facts, 8, 2)] == ["one two three four", "five"]
    assert [fact.text for fact in fitted(facts, 8, 3)] == ["one two", "three four", "five"]
    assert [fact.label for fact in fitted(facts, 8, 3)] == ["formula", "", "window"]
    assert len(fitted(facts, 8, 1)) == 1
