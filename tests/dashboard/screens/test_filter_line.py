"""The filter line: its effect on the list while it is typed."""

from __future__ import annotations

from textual.widgets import Input, Static

from tests.dashboard.conftest import MakeApp
from tests.dashboard.screens.arranging import entered, numbers, rows_of, typed, under_cursor
from tests.dashboard.snapshots import many_gpus
from tokwatch.dashboard.screens.filter_line import FilterLine
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.widgets.gpu_list import GpuClosing, GpuHeading
from tokwatch.dashboard.widgets.state_strip import StateStrip


async def test_a_filter_shows_its_effect_while_it_is_typed(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        await typed(pilot, "llama")
        assert isinstance(app.screen, FilterLine)
        assert numbers(app) == [5, 6]
        await typed(pilot, " power>500")
        assert numbers(app) == [5]
        await pilot.press("enter")
        assert isinstance(app.screen, FleetScreen)
        assert numbers(app) == [5]
        assert " / llama power>500  esc clears " in rows_of(app, GpuHeading)[1]
        assert "1 of 8 shown" in rows_of(app, GpuClosing)[1]


async def test_escape_shows_all_again_while_typing_and_after(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for keys in (["escape"], ["enter", "escape"]):
            await pilot.press("slash")
            await entered(pilot, "idle")
            assert numbers(app) == [6, 7]
            await pilot.press(*keys)
            await pilot.pause()
            assert len(numbers(app)) == 8
            assert isinstance(app.screen, FleetScreen)


async def test_a_filter_that_cannot_be_read_says_why_and_leaves_the_list_as_it_is(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        await typed(pilot, "idle power>")
        assert numbers(app) == [6, 7]
        assert "how much?" in str(app.screen.query_one("#hint", Static).render())
        await pilot.press("enter")
        assert isinstance(app.screen, FilterLine)


async def test_a_filter_can_be_changed_later(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        await entered(pilot, "idle")
        await pilot.press("enter", "slash")
        assert app.screen.query_one(Input).value == "idle"


async def test_no_gpu_left_is_said(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        await entered(pilot, "power>9000")
        await pilot.press("enter", "y", "enter", "b")
        assert rows_of(app) == ["       no GPU is so"]
        assert "0 of 8 shown" in rows_of(app, GpuClosing)[1]


async def test_the_cursor_comes_back_to_its_gpu_when_a_filter_goes(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("down", "down", "slash")
        await entered(pilot, "idle")
        assert under_cursor(app) == 7
        await pilot.press("escape")
        assert under_cursor(app) == 2


async def test_a_strip_that_comes_back_shows_the_rows_of_now(make_app: MakeApp) -> None:
    app = make_app(many_gpus())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("slash")
        await typed(pilot, "idle for>1h")  # on the way there 8, none and 8 GPUs are left
        assert [row.split()[0] for row in rows_of(app, StateStrip)[1:3]] == ["7", "15"]
