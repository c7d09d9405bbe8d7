"""What tokens earn: only at prices that are set, and margins only over revenue that there was."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.ledger.economics.amounts import ANY_USD, TOKEN_PRICES, TOKENS, USD
from tokwatch.ledger.economics.revenue import (
    NO_PRICES,
    TokenPrices,
    blended_usd_per_m,
    margin,
    profit_usd,
    revenue_usd,
    usd_per_hour,
    usd_per_hour_per_mw,
    usd_per_mwh,
)
from tokwatch.ledger.economics.token_cost import Tokens, Weights, split, usd_of

LIST = TokenPrices(input=3.0, cached_input=0.3, cache_write=3.75, output=15.0)
MILLION_EACH = Tokens(1e6, 1e6, 1e6)


def test_every_class_is_sold_at_its_own_price() -> None:
    assert revenue_usd(MILLION_EACH, LIST) == pytest.approx(18.3)
    assert revenue_usd(MILLION_EACH, LIST, cache_write_tokens=1e6) == pytest.approx(22.05)


def test_tokens_sold_at_no_price_make_the_revenue_unknown() -> None:
    unpriced = LIST._replace(cached_input=None, cache_write=None)
    assert revenue_usd(MILLION_EACH, unpriced) is None
    assert revenue_usd(MILLION_EACH._replace(cached=0), unpriced) == pytest.approx(18.0)
    assert revenue_usd(MILLION_EACH._replace(cached=0), unpriced, cache_write_tokens=1) is None


def test_no_tokens_earn_nothing_and_without_a_price_list_nobody_knows() -> None:
    assert revenue_usd(Tokens(0, 0, 0), LIST) == 0.0
    assert revenue_usd(Tokens(0, 0, 0), NO_PRICES) is None


def test_the_blended_price_is_that_of_the_mix_that_was_sold() -> None:
    assert blended_usd_per_m(MILLION_EACH, LIST) == pytest.approx(6.1)
    assert blended_usd_per_m(Tokens(0, 0, 0), LIST) is None
    assert blended_usd_per_m(MILLION_EACH, NO_PRICES) is None


@given(USD, TOKENS, TOKEN_PRICES)
def test_a_split_by_the_price_list_gives_every_class_the_same_margin(
    usd: float, tokens: Tokens, prices: TokenPrices
) -> None:
    revenue = revenue_usd(tokens, prices)
    if prices.input is None or prices.cached_input is None or not prices.output or not revenue:
        return
    weights = Weights(prices.input, prices.cached_input, prices.output)
    costs = split(usd, tokens, weights)
    assert costs.output is not None
    assert usd_of(tokens, costs) == pytest.approx(usd, rel=1e-9)
    assert costs.output / prices.output == pytest.approx(usd / revenue, rel=1e-6)


@given(ANY_USD, ANY_USD)
def test_margin_is_known_only_where_there_was_revenue(revenue: float | None, cost: float | None) -> None:
    share = margin(revenue, cost)
    assert (share is None) == (not revenue or cost is None)
    assert share is None or share <= 1


def test_half_of_the_revenue_is_profit() -> None:
    assert (profit_usd(10.0, 5.0), margin(10.0, 5.0)) == (5.0, 0.5)


def test_money_an_hour_a_megawatt_hour_and_a_megawatt() -> None:
    assert usd_per_hour(5.0, 1800) == 10.0
    assert usd_per_mwh(5.0, 50.0) == 100.0
    assert usd_per_hour_per_mw(10.0, 100.0) == 100.0  # 50 kWh in half an hour is 100 kW: the same figure
    assert usd_per_hour_per_mw(10.0, 200.0) == 50.0  # of 200 kW provisioned


def test_nothing_over_no_time_no_energy_and_no_power() -> None:
    assert (usd_per_hour(5.0, 0), usd_per_mwh(5.0, 0), usd_per_hour_per_mw(5.0, 0)) == (None, None, None)
    assert (usd_per_hour(None, 1), usd_per_mwh(None, 1), usd_per_hour_per_mw(None, 1)) == (None, None, None)
