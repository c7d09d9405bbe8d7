"""Finding and arranging on Fleet, by keys and by mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.dashboard import snapshots
from tests.dashboard.conftest import MakeApp
from tests.dashboard.screens.arranging import entered, fleet_of, numbers, rows_of, under_cursor
from tests.dashboard.snapshots import BOX, GPUS, FakeFeed, at, many_gpus
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.arrange.view import Sort
from tokwatch.dashboard.layout import DEFAULT_COLUMNS
from tokwatch.dashboard.remembered import Memory, Remembered
from tokwatch.dashboard.screens.gpu import GpuScreen
from tokwatch.dashboard.widgets.gpu_list import GpuHeading, GpuRows
from tokwatch.dashboard.widgets.state_strip import StateStrip
from tokwatch.ledger.snapshot import Snapshot


async def test_s_i_enter_opens_the_most_wasteful_gpu(make_app: MakeApp) -> None:
    app = make_app(many_gpus())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("pagedown", "s", "i")
        assert under_cursor(app) == 7
        assert "▾IDLE $" in rows_of(app, GpuHeading)[0]
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, GpuScreen)
        await all_answered(app)


async def test_the_same_column_again_turns_the_order_round(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("s", "p", "s", "p")
        assert numbers(app)[0] == 7
        assert "▴POWER W" in rows_of(app, GpuHeading)[0]
        await pilot.press("s", "escape")
        assert numbers(app)[0] == 7
        await pilot.press("s", "g")
        assert numbers(app) == list(range(8))
        assert "▴" not in rows_of(app, GpuHeading)[0]


async def test_an_order_that_no_column_shows_is_told_in_the_rule(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("s", "f")
        assert " by time in its state ▾ " in rows_of(app, GpuHeading)[1]


async def test_the_cursor_stays_on_its_gpu_while_the_order_changes(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("s", "p", "down")
        assert under_cursor(app) == 2
        hot = tuple(replace(row, power_w=replace(row.power_w, value=700.0 + row.index)) for row in GPUS)
        feed = app._feed
        assert isinstance(feed, FakeFeed)
        feed.send(replace(BOX, gpus=hot))
        await pilot.pause()
        assert numbers(app)[0] == 7
        assert under_cursor(app) == 2


async def test_the_strip_follows_the_filter_and_the_order(make_app: MakeApp) -> None:
    app = make_app(many_gpus())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert not fleet_of(app).query_one(StateStrip).display  # 64 GPUs have no room
        await pilot.press("slash")
        await entered(pilot, "gpu:4-7")
        await pilot.press("enter", "s", "i")
        await pilot.pause()
        strip = rows_of(app, StateStrip)
        assert [row.split()[0] for row in strip[1:-1]] == ["7", "6", "5", "4"]
        assert strip[-1].endswith("*$9.52")  # of those shown, of one of which it is not known


async def test_groups_have_lines_with_sums_and_can_be_put_away(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("G", "s", "less_than_sign")
        assert under_cursor(app) == "serving"
        assert rows_of(app)[0].split()[:5] == ["▌", "▾", "serving", "5", "GPUs"]
        await pilot.press("enter")
        await pilot.pause()
        assert numbers(app) == [4, 6, 7]
        assert rows_of(app)[0].split()[1] == "▸"
        await pilot.press("enter", "G", "n")
        assert numbers(app) == list(range(8))


async def test_the_view_is_kept_for_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "view.json"
    app = TokwatchApp(FakeFeed(), memory=Memory(path))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("s", "p", "G", "s", "C", "space", "enter", "slash")
        await entered(pilot, "idle")
        await all_answered(app)
    assert Memory(path).recall() == Remembered("power", True, "state", DEFAULT_COLUMNS[1:])
    again = TokwatchApp(FakeFeed(), memory=Memory(path))
    async with again.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        view = fleet_of(again).listing.view
        assert (view.sort, view.group, view.columns) == (Sort("power", True), "state", DEFAULT_COLUMNS[1:])
        assert not view.filter


async def test_a_view_that_cannot_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "view.json").write_text("{")
    app = TokwatchApp(FakeFeed(), memory=Memory(tmp_path / "view.json"))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert [note.message.endswith("The usual view is shown.") for note in app._notifications] == [True]


async def test_b_goes_back_to_when_the_state_began(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.press("greater_than_sign", "b")
        feed = app._feed
        assert isinstance(feed, FakeFeed)
        assert feed.told[-1] == ("seek", at("11:58"))


async def test_a_click_sets_the_cursor_and_a_second_one_opens(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.click(GpuRows, offset=(20, 6))
        assert under_cursor(app) == 6
        await pilot.click(GpuRows, offset=(20, 5), times=2)
        await pilot.pause()
        assert isinstance(app.screen, GpuScreen)
        await all_answered(app)


async def test_a_click_on_a_heading_sorts(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.click(GpuHeading, offset=(rows_of(app, GpuHeading)[0].index("IDLE $"), 0))
        assert numbers(app)[:2] == [7, 6]


@pytest.mark.parametrize("snapshot", [snapshots.nothing_found(), snapshots.warming_up(), many_gpus(1000)])
async def test_every_key_is_safe_on_every_box(make_app: MakeApp, snapshot: Snapshot) -> None:
    app = make_app(snapshot)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.action_show_fleet()  # with nothing found Sources has opened itself
        for keys in ("s i", "C space enter", "G d", "enter", "enter", "b", "slash x enter", "escape", "s i enter"):
            await pilot.press(*keys.split())
        await all_answered(app)
