from __future__ import annotations

from pathlib import Path

import pytest

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import FakeFeed
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.remembered import Memory
from tokwatch.dashboard.terminal import Colours, Terminal
from tokwatch.dashboard.theme import DARK, Ink, Look, is_drawn, style_of
from tokwatch.dashboard.themes.ansi import ANSI
from tokwatch.dashboard.themes.light import LIGHT
from tokwatch.dashboard.themes.mono import MONO


def test_a_style_has_the_colours_of_its_roles() -> None:
    style = style_of(DARK, Ink("work", "selected", bold=True))
    assert (style.color and style.color.name, style.bgcolor and style.bgcolor.name) == (DARK.work, DARK.selected)
    assert style.bold


def test_a_native_style_names_colours_and_attributes() -> None:
    style = style_of(MONO, Ink("alarm"))
    assert (style.bold, style.reverse, style.color and style.color.name) == (True, True, "default")
    assert str(style_of(ANSI, Ink("waste"))) == "not bold yellow on default"


def test_a_reversed_row_has_one_colour() -> None:
    assert style_of(ANSI, Ink("alarm", "selected")) == style_of(ANSI, Ink("work", "selected"))


@pytest.mark.parametrize("palette", [ANSI, MONO], ids=["ansi", "mono"])
def test_a_tile_without_a_ground_of_its_own_has_no_edge(palette: object) -> None:
    assert isinstance(palette, type(DARK))
    assert not is_drawn(palette, Ink("surface"))
    assert is_drawn(DARK, Ink("surface"))


def test_what_cannot_be_told_apart_is_left_blank() -> None:
    assert [is_drawn(MONO, Ink("track")), is_drawn(ANSI, Ink("track")), is_drawn(ANSI, Ink("track", "selected"))] == [
        *(False, True, False)
    ]
    line = Line(6, Look(MONO))
    line.put(line.put(0, "━━", "s2"), "━━", "track")
    assert line.strip().text == "━━    "


def test_what_is_underlined_or_reversed_ends_where_it_ends() -> None:
    line = Line(12, Look(MONO))
    line.put(line.put(0, "lost 2 h", "alarm"), " ok")
    segments = [(segment.text, bool(segment.style and segment.style.reverse)) for segment in line.strip()]
    assert segments == [("lost 2 h", True), (" ok ", False)]


async def test_t_goes_through_the_themes_and_says_their_names(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        await pilot.press("t")
        await pilot.pause()
        assert app.look.palette == LIGHT
        assert [note.message for note in app._notifications] == ["light: for a light ground"]
        for _ in app.themes.shown()[1:]:
            await pilot.press("t")
        assert app.theme == "dark"


async def test_without_colours_t_says_why_nothing_changes() -> None:
    app = TokwatchApp(FakeFeed(), terminal=Terminal(Colours.NONE, "NO_COLOR is set"))
    async with app.run_test() as pilot:
        await pilot.press("t")
        await pilot.pause()
        assert app.look.palette == MONO
        assert [note.message for note in app._notifications] == ["This terminal shows only one theme: NO_COLOR is set."]


async def test_any_theme_can_be_set_by_its_name_alone(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test() as pilot:
        app.theme = "colour-blind-light"
        await pilot.pause()
        assert app.look.palette.work == "#1c4fd0"


async def test_what_the_config_prefers_comes_after_the_command_line() -> None:
    app = TokwatchApp(FakeFeed(), preferences=Preferences("contrast"))
    async with app.run_test() as pilot:
        app.prefer(theme="light", ascii_only=True, slow_link=True)
        await pilot.pause()
        assert (app.theme, app.look.ascii_only, app.look.calm) == ("contrast", True, True)
    app = TokwatchApp(FakeFeed())
    async with app.run_test() as pilot:
        app.prefer(theme="light", ascii_only=None, slow_link=False)
        await pilot.pause()
        assert (app.theme, app.look.ascii_only, app.look.calm) == ("light", False, False)


async def test_a_small_terminal_is_told_once(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.pause()
        await pilot.resize_terminal(50, 15)
        await pilot.pause()
        assert [note.message for note in app._notifications] == ["60×15: some things are left out below 80×24."]


async def test_what_a_small_terminal_is_told_goes_when_it_has_grown(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.pause()
        app.say("something else")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert [note.message for note in app._notifications] == ["something else"]


async def test_a_theme_chosen_with_t_is_there_the_next_time_unless_another_is_preferred(tmp_path: Path) -> None:
    kept = tmp_path / "view.json"
    app = TokwatchApp(FakeFeed(), memory=Memory(kept))
    async with app.run_test() as pilot:
        await pilot.press("t")
        await all_answered(app)
    assert TokwatchApp(FakeFeed(), memory=Memory(kept)).theme == "light"
    preferred = TokwatchApp(FakeFeed(), memory=Memory(kept), preferences=Preferences("contrast"))
    assert preferred.theme == "contrast"
    app = TokwatchApp(FakeFeed(), memory=Memory(kept))
    async with app.run_test():
        app.prefer(theme="mono", ascii_only=None, slow_link=False)
        assert app.theme == "mono", "the config's comes before what is remembered"
