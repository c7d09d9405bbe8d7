"""Choosing one of several by its letter or with the cursor."""

from __future__ import annotations

from tests.dashboard.conftest import MakeApp
from tests.dashboard.screens.arranging import rows_of
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.chooser import Chooser, Option
from tokwatch.dashboard.widgets.gpu_list import GpuHeading
from tokwatch.dashboard.widgets.option_grid import OptionGrid

FRUIT = [Option("a", "apple", "apples"), Option("p", "pear", "pears", now=True), Option("q", "quince", "quinces")]
NUTS = [Option("h", "hazel", "hazelnuts")]


def options(app: TokwatchApp) -> list[str]:
    return [line.text() for line in app.screen.query_one(OptionGrid).drawn()]


async def test_it_ends_with_what_a_letter_or_the_cursor_chooses(make_app: MakeApp) -> None:
    app = make_app()
    chosen: list[str | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for keys in (["q"], ["h"], ["enter"], ["down", "enter"], ["up", "up", "enter"], ["escape"]):
            app.push_screen(Chooser("FRUIT", FRUIT, "", unshown=NUTS), chosen.append)
            await pilot.press(*keys)
    assert chosen == ["quince", "hazel", "pear", "quince", "apple", None]


async def test_the_screen_below_stays_in_sight(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, Chooser)
        assert app.screen.query_one(OptionGrid).region.y >= 20
        assert app.screen.query_one("#hint").region.bottom == 24
        assert len(rows_of(app)) == 8


async def test_nothing_beyond_ascii_is_shown_where_the_terminal_is_limited_to_it(make_app: MakeApp) -> None:
    app = make_app(ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("G", "s", "s")
        await pilot.pause()
        assert all(row.isascii() for row in options(app))
        await pilot.press("p", "C")
        await pilot.pause()
        assert all(row.isascii() for row in options(app))
        assert "vPOWER W" in rows_of(app, GpuHeading)[0]
        assert all(row.isascii() for row in rows_of(app))
