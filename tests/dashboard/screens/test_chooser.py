"""Choosing one of several by its letter."""

from __future__ import annotations

from textual.widgets import Static

from tests.dashboard.conftest import MakeApp
from tests.dashboard.screens.arranging import rows_of
from tokwatch.dashboard.screens.chooser import Chooser
from tokwatch.dashboard.widgets.gpu_list import GpuHeading


async def test_a_chooser_of_columns_breaks_its_line_between_options(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, Chooser)
        rows = app.screen.words(78).plain.splitlines()
        assert rows[0].startswith("Sort by  g GPU  s STATE  f FOR  m SERVES  t TOK/S")
        assert all(len(row) <= 78 for row in rows)
        assert not any(row[0] == " " for row in rows)


async def test_nothing_beyond_ascii_is_shown_where_the_terminal_is_limited_to_it(make_app: MakeApp) -> None:
    app = make_app(ascii_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("G", "s", "s")
        await pilot.pause()
        assert str(app.screen.query_one("#options", Static).render()).isascii()
        await pilot.press("p", "C")
        await pilot.pause()
        assert str(app.screen.query_one(Static).render()).isascii()
        assert "vPOWER W" in rows_of(app, GpuHeading)[0]
        assert all(row.isascii() for row in rows_of(app))
