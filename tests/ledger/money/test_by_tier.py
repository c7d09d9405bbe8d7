"""Tiers, idleness and what is left of the cost add up to the cost of all GPUs."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.dashboard.scenes.money import PRICES
from tests.dashboard.scenes.money_box import DEPLOYMENTS, MONEY_BOX, TRAFFIC
from tests.ledger.box import Box, value
from tests.ledger.earning import LIST, shown
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.money.by_tier import cost_without_tokens, tier_rows
from tokwatch.ledger.prices.version import Prices

ROWS = tier_rows(TRAFFIC, DEPLOYMENTS, PRICES.tokens)


def test_the_dearest_tier_stands_first() -> None:
    assert [row.tier for row in ROWS] == ["priority", "standard", "batch"]


def test_tiers_and_idleness_close_on_the_cost() -> None:
    cost = MONEY_BOX.economy.cost
    tiers = sum(value(row.cost_usd_per_hour) for row in ROWS)
    assert tiers + value(cost.idle) == pytest.approx(cost.total.value, abs=0.02)
    assert cost_without_tokens(ROWS, replace(cost, total=Figure(18.80))) is None


def test_a_tier_does_not_pay_for_idle_gpus_of_its_deployment() -> None:
    batch = next(row for row in ROWS if row.tier == "batch")
    assert value(batch.cost_usd_per_hour) == pytest.approx(1.36 + 4.69 * 2.40 / 4.69, abs=0.01)
    assert value(batch.profit_usd_per_hour) == pytest.approx(4.32 - 3.76, abs=0.01)


def test_list_prices_are_those_of_the_tier() -> None:
    assert [(row.usd_per_m_input, row.usd_per_m_output) for row in ROWS] == [(0.25, 1.0), (0.1, 0.4), (0.05, 0.2)]
    assert all(row.usd_per_m_output is None for row in tier_rows(TRAFFIC, DEPLOYMENTS, None))


def test_what_gpus_without_tokens_cost_is_told_apart() -> None:
    rows = tier_rows(TRAFFIC[:1], DEPLOYMENTS, PRICES.tokens)
    rest = cost_without_tokens(rows, MONEY_BOX.economy.cost)
    assert rest == pytest.approx(18.80 - 4.58 - 2.93)


def test_a_tier_without_any_known_revenue_has_none() -> None:
    unpriced = [replace(row, revenue_usd_per_hour=Figure(None, "no token prices set")) for row in TRAFFIC]
    row = tier_rows(unpriced, DEPLOYMENTS, None)[0]
    assert (row.revenue_usd_per_hour.value, row.revenue_usd_per_hour.why) == (None, "no token prices set")
    assert row.profit_usd_per_hour.value is None


def test_a_tier_of_which_some_is_known_says_so() -> None:
    some = [replace(TRAFFIC[1], revenue_usd_per_hour=Figure(None, "no price")), TRAFFIC[2]]
    assert "part" in tier_rows(some, DEPLOYMENTS, None)[0].revenue_usd_per_hour.marks


def test_a_real_moment_closes() -> None:
    moment = shown(Prices(usd_per_gpu_hour=2.0, tokens=LIST), gpus=2, free=1, box=Box())
    rows = tier_rows(moment.traffic, moment.deployments, LIST)
    cost = moment.economy.cost
    rest = cost_without_tokens(rows, cost) or 0.0
    tiers = sum(value(row.cost_usd_per_hour) for row in rows)
    assert tiers + value(cost.idle) + rest == pytest.approx(cost.total.value)
    assert [row.assumed for row in rows] == [True]
