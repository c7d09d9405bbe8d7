"""The GPU list as a widget: figures that can be pointed at, and a list of any length."""

from __future__ import annotations

import pytest

from tests.dashboard.conftest import MakeApp
from tests.dashboard.snapshots import BOX, many_gpus
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.widgets.gpu_list import GpuClosing, GpuRows
from tokwatch.ledger.figure_path import FigurePath, figure_at


async def test_every_figure_says_which_one_it_is(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        row = app.screen.query_one(GpuRows).drawn()[5]
        told = {spot.path.field: row.text()[spot.x : spot.x + spot.width] for spot in row.spots}
        assert told == {
            "tok_s": "3 333",
            "tok_per_j": "5.84",
            "usd_per_m_output": "0.20",
            "idle_usd_today": "5.42",
            "power_w": "571",
            "memory_used_gib": "66",
            "temperature_c": "57",
        }
        assert {(spot.path.of, spot.path.key) for spot in row.spots} == {("gpu", 15)}
        assert all(figure_at(BOX, spot.path) is not None for spot in row.spots)
        closing = app.screen.query_one(GpuClosing).drawn()[1]
        assert FigurePath("totals", "tok_per_j") in [spot.path for spot in closing.spots]


async def test_the_sums_of_a_filtered_list_are_no_figures_of_the_snapshot(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"idle", "enter")
        await pilot.pause()
        assert app.screen.query_one(GpuClosing).drawn()[1].spots == []


@pytest.mark.parametrize("number", [1, 64, 1000])
async def test_first_and_last_row_of_a_list_of_any_length(make_app: MakeApp, number: int) -> None:
    app = make_app(many_gpus(number))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        rows = app.screen.query_one(GpuRows)
        await pilot.press("greater_than_sign")
        assert rows.cursor == number - 1
        assert rows.drawn()[-1].text().startswith(" ▌")
        await pilot.press("less_than_sign")
        assert rows.cursor == 0
        assert rows.drawn()[0].text().startswith(" ▌")


async def test_only_rows_in_sight_are_drawn(make_app: MakeApp) -> None:
    app = make_app(many_gpus(1000))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, FleetScreen)
        rows = app.screen.gpus
        assert len(rows.drawn()) == rows.size.height < 24
