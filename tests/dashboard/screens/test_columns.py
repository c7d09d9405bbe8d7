"""Columns of the list, switched and moved."""

from __future__ import annotations

from tests.dashboard.conftest import MakeApp
from tests.dashboard.screens.arranging import fleet_of, rows_of
from tokwatch.dashboard.layout import DEFAULT_COLUMNS
from tokwatch.dashboard.screens.columns import ColumnChooser
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.widgets.gpu_list import GpuHeading
from tokwatch.dashboard.widgets.option_grid import OptionGrid


async def test_columns_are_switched_moved_and_put_back(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        view = fleet_of(app).listing
        await pilot.press("C", "space", "down", "shift+down")
        assert view.view.columns[:2] == ("spark", "tok_s")
        assert isinstance(app.screen, ColumnChooser)
        heading = rows_of(app, GpuHeading)[0]
        assert heading.index("2 MIN") < heading.index("TOK/S")
        assert "SERVES" not in heading
        await pilot.press("escape")
        assert view.view.columns == DEFAULT_COLUMNS
        await pilot.press("C", "space", "enter", "C", "r", "C")
        assert view.view.columns == DEFAULT_COLUMNS
        assert isinstance(app.screen, FleetScreen)


async def test_a_column_without_room_is_said_to_have_none(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("C")
        await pilot.pause()
        shown = "\n".join(line.text() for line in app.screen.query_one(OptionGrid).drawn())
        assert "[x] °C         no room here" in shown
        assert all(heading in shown for heading in ("SERVES", "UUID"))
