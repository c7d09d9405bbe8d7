"""The Money screen as a user meets it: sums that close, dials, pages, and words where a price is missing."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.dashboard.conftest import MakeApp
from tests.dashboard.scenes.money_box import DEPLOYMENTS, MONEY_BOX, price_list_only
from tests.dashboard.snapshots import INFINITE, FakeFeed, no_price, nothing_found, warming_up
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.screens.money import MoneyScreen
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.footer import Footer
from tokwatch.dashboard.widgets.money_cost_chart import CostChart
from tokwatch.dashboard.widgets.money_idle_bars import IdleBars
from tokwatch.dashboard.widgets.money_page import MoneyPage
from tokwatch.dashboard.widgets.money_tiers import TierTable
from tokwatch.dashboard.widgets.money_tiles import CostTile, IdleTaxTile, RevenueTile
from tokwatch.dashboard.widgets.money_ways import WaysTable
from tokwatch.dashboard.widgets.what_if_panel import WhatIfPanel
from tokwatch.feeds.questions.cost_past import CostPast
from tokwatch.feeds.questions.paid_past import PaidPast
from tokwatch.feeds.questions.prices_at import PricesAt
from tokwatch.ledger.figure_path import figure_at
from tokwatch.ledger.snapshot import Snapshot

SMALL, USUAL, LARGE = (80, 24), (120, 40), (200, 60)


async def opened(pilot: Pilot[str], *keys: str) -> MoneyScreen:
    """The screen, with the answers of the past in it."""
    await pilot.pause()
    await pilot.pause()
    await pilot.press("4")
    await pilot.pause()
    await pilot.press(*keys)
    await pilot.pause()
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, MoneyScreen)
    return screen


def rows(screen: MoneyScreen, kind: type[Canvas]) -> list[str]:
    return [line.text().rstrip() for line in screen.query_one(kind).drawn()]


def row(screen: MoneyScreen, kind: type[Canvas], name: str) -> list[str]:
    """The words of the row that begins with a name."""
    return next(text.split() for text in rows(screen, kind) if text.strip(" ▌").startswith(name))


def asked(app: TokwatchApp, kind: type[object]) -> list[object]:
    feed = app._feed
    assert isinstance(feed, FakeFeed)
    return [what[1] for what in feed.told if what[0] == "ask" and isinstance(what[1], kind)]


async def test_tiers_and_what_nobody_bought_close_on_all(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert row(screen, TierTable, "priority")[-4:] == ["9.26", "2.93", "+6.33", "68"]
        assert row(screen, TierTable, "idle")[-3:] == ["4.58", "−4.58", "–"]
        assert row(screen, TierTable, "all")[-4:] == ["27.93", "18.80", "+9.13", "33"]


async def test_every_figure_drawn_can_be_pointed_at(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        spots = [spot for canvas in screen.canvases for line in canvas.drawn() for spot in line.spots]
        assert len(spots) > 20
        assert all(figure_at(MONEY_BOX, spot.path) is not None for spot in spots)


async def test_idleness_is_told_of_each_deployment_and_of_the_gpus_of_nobody(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert row(screen, IdleBars, "fleet")[-3:] == ["0.42", "+32", "%"]
        assert row(screen, IdleBars, "Qwen3-32B")[-2:] == ["0.42", "–"]
        assert "gpu 7, no tokens" in " ".join(rows(screen, IdleBars))
        assert row(screen, IdleBars, "(unassigned)")[-1] == "$2.29/h"


async def test_a_deployment_that_serves_nobody_says_what_it_costs(make_app: MakeApp) -> None:
    tokens = replace(DEPLOYMENTS[2].economy.tokens, output_only=INFINITE)
    parked = replace(DEPLOYMENTS[2], economy=replace(DEPLOYMENTS[2].economy, tokens=tokens))
    async with make_app(replace(MONEY_BOX, deployments=(*DEPLOYMENTS[:2], parked))).run_test(size=USUAL) as pilot:
        assert row(await opened(pilot), IdleBars, "Llama")[-1] == "$4.69/h"


async def test_the_legend_of_the_chart_closes_on_the_cost(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        legend = rows(await opened(pilot), CostChart)[-1]
        amounts = [float(amount) for amount in re.findall(r"\d+\.\d\d", legend)]
        assert sum(amounts) == pytest.approx(18.80)


async def test_ways_to_pay_say_where_each_begins_to_win(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert "now" in row(screen, WaysTable, "reserved rent")
        assert "below 3.09/GPU-h" in " ".join(row(screen, WaysTable, "elastic rent"))
        assert "below 70 % of the load" in " ".join(row(screen, WaysTable, "API"))


async def test_dials_turn_where_they_stand_and_go_back(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot, "minus")
        assert row(screen, WhatIfPanel, "GPU price")[-2:] == ["2.25", "2.20"]
        assert row(screen, WhatIfPanel, "profit")[-4:] == ["+4", "%", "9.13", "9.53"]
        await pilot.press("r")
        assert row(screen, WhatIfPanel, "GPU price")[-2:] == ["2.25", "2.25"]


async def test_a_value_can_be_typed(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot, "j", "j", "j", "enter", "6", "2", "enter")
        await pilot.pause()
        assert row(screen, WhatIfPanel, "utilisation")[-4:] == ["41", "%", "62", "%"]


async def test_at_80x24_tab_turns_the_pages_and_comes_back(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        assert screen.query_one(TierTable).display
        assert screen.query_one(IdleBars).display
        await pilot.press("tab")
        assert screen.query_one(CostChart).display
        await pilot.press("tab")
        assert screen.query_one(WhatIfPanel).display
        await pilot.press("tab")
        assert screen.query_one(MoneyPage).display
        await pilot.press("tab")
        assert screen.query_one(TierTable).display


async def test_a_dial_that_is_not_on_screen_does_not_turn(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=SMALL) as pilot:
        screen = await opened(pilot, "minus", "tab", "tab")
        assert row(screen, WhatIfPanel, "GPU price")[-2:] == ["2.25", "2.25"]


async def test_without_token_prices_it_says_which_key_sets_them(make_app: MakeApp) -> None:
    async with make_app(price_list_only()).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert "[[prices.tokens]]" in " ".join(rows(screen, RevenueTile))
        assert row(screen, WhatIfPanel, "token price")[-3:] == ["[[prices.tokens]]", "–", "–"]
        assert "in the rent" in " ".join(rows(screen, WhatIfPanel))


async def test_without_a_price_the_key_that_sets_one_is_named(make_app: MakeApp) -> None:
    async with make_app(no_price()).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert "press $ to set a price" in " ".join(rows(screen, CostTile))
        assert screen.query_one(MoneyPage).display
        assert not screen.query_one(CostChart).display


@pytest.mark.parametrize(
    ("snapshot", "size"),
    [(warming_up(), USUAL), (nothing_found(), SMALL), (nothing_found(), LARGE)],
    ids=["warming up", "nothing found", "nothing found on a large screen"],
)
async def test_it_opens_on_a_box_with_nothing_to_tell(
    make_app: MakeApp, snapshot: Snapshot, size: tuple[int, int]
) -> None:
    async with make_app(snapshot).run_test(size=size) as pilot:
        await pilot.pause()
        await opened(pilot, "tab", "plus", "r", "down", "enter")


async def test_the_past_is_asked_once_until_something_can_have_changed(make_app: MakeApp) -> None:
    app = make_app(MONEY_BOX)
    async with app.run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        screen.show(app.frame)
        await pilot.pause()
        assert len(asked(app, PaidPast)) == 1
        assert len(asked(app, CostPast)) == 2  # the day, and the month in one bucket
        assert len(asked(app, PricesAt)) == 1


async def test_in_the_past_the_chart_ends_before_the_moment(make_app: MakeApp) -> None:
    app = make_app(replace(MONEY_BOX, mode="paused", session="s1"), stored=True)
    async with app.run_test(size=USUAL) as pilot:
        await opened(pilot)
        (chart,) = (each for each in asked(app, CostPast) if isinstance(each, CostPast) and each.buckets > 1)
        assert chart.span[1] <= MONEY_BOX.tick_ms


async def test_idle_this_month_stands_beside_today(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        tile = " ".join(rows(await opened(pilot), IdleTaxTile))
        assert "$31.10 today" in tile
        assert "$612.00 this month" in tile


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_in_ascii_every_page_is_ascii(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with make_app(MONEY_BOX, ascii_only=True).run_test(size=size) as pilot:
        screen = await opened(pilot)
        for _ in range(4):
            await pilot.press("tab")
            drawn = [line for canvas in screen.canvases if canvas.display for line in canvas.drawn()]
            assert all(line.text().isascii() for line in drawn)


async def test_without_colours_idleness_is_filled_with_another_character(make_app: MakeApp) -> None:
    app = make_app(MONEY_BOX)
    async with app.run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert not any("▒" in text for text in rows(screen, IdleBars))
        app.theme = "mono"
        await pilot.pause()
        await pilot.pause()
        assert "▇▒" in "".join(rows(screen, IdleBars))
        assert {"░", "▒", "█"} <= set("".join(rows(screen, CostChart)))


async def test_the_footer_offers_the_dials_where_they_stand(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot)
        assert "+ − change" in rows(screen, Footer)[0]
        await pilot.press("tab")
        await pilot.pause()
        assert "change" not in rows(screen, Footer)[0]
        assert rows(screen, Footer)[0].endswith("? help")


async def test_the_bill_in_full_adds_up(make_app: MakeApp) -> None:
    async with make_app(MONEY_BOX).run_test(size=USUAL) as pilot:
        screen = await opened(pilot, "tab")
        bill = {name: row(screen, MoneyPage, name) for name in ("rent", "energy", "all", "revenue", "profit")}
        rent, energy, cost, revenue, profit = (float(words[1]) for words in bill.values())
        assert rent + energy == pytest.approx(cost)
        assert revenue - cost == pytest.approx(profit)
        assert row(screen, MoneyPage, "(unassigned)")[1] == "2.29"


async def test_two_deployments_of_one_model_are_told_apart_by_their_gpus(make_app: MakeApp) -> None:
    twin = replace(DEPLOYMENTS[1], key="twin", name=DEPLOYMENTS[0].name)
    async with make_app(replace(MONEY_BOX, deployments=(DEPLOYMENTS[0], twin))).run_test(size=LARGE) as pilot:
        shown = "\n".join(rows(await opened(pilot), IdleBars))
        assert "Qwen3-32B gpu 0–3" in shown
        assert "Qwen3-32B gpu 4" in shown
