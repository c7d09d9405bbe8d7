"""What the same tokens cost rented, owned, rented elastically and bought; and where one begins to win."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.economics.ways_to_pay import Kind, Paid, Spent, Way, ways_to_pay

RENTED = Paid({"rent": Spent(2000.0, 1000.0)}, in_use=0.8, output_tokens=4e9, api_usd=2400.0)


def way(paid: Paid, kind: Kind) -> Way:
    return next(way for way in ways_to_pay(paid) if way.kind == kind)


def test_what_was_paid_stands_first_and_is_marked() -> None:
    first = ways_to_pay(RENTED)[0]
    assert (first.kind, first.in_use, first.usd_per_gpu_hour, first.usd_per_m_output) == ("rent", True, 2.0, 0.5)


def test_elastic_rent_wins_below_the_price_of_an_hour_in_use() -> None:
    elastic = way(RENTED, "elastic rent")
    assert elastic.wins_below_usd_per_gpu_hour == pytest.approx(2.0 / 0.8)
    assert elastic.usd_per_gpu_hour is None


def test_an_api_loses_above_the_load_at_which_both_cost_the_same() -> None:
    api = way(RENTED, "API")
    assert api.usd_per_m_output == pytest.approx(0.6)
    assert api.loses_above_load == pytest.approx(2000 / 2400)


def test_without_an_api_price_nothing_is_said_of_it() -> None:
    assert way(replace(RENTED, api_usd=None), "API") == Way("API", False, None, None)


def test_of_several_ways_each_rate_is_applied_to_all_hours() -> None:
    both = replace(RENTED, spent={"own": Spent(500.0, 500.0), "elastic rent": Spent(1500.0, 500.0)})
    assert way(both, "own").usd_per_m_output == pytest.approx(1.0 * 1000 / 4000)
    assert way(both, "elastic rent").usd_per_m_output == pytest.approx(3.0 * 1000 * 0.8 / 4000)


def test_the_rate_of_one_gpu_model_says_nothing_of_another() -> None:
    mixed = replace(RENTED, spent={"own": Spent(500.0, 500.0), "rent": Spent(1500.0, 500.0)}, one_gpu_model=False)
    assert (way(mixed, "own").usd_per_gpu_hour, way(mixed, "own").usd_per_m_output) == (1.0, None)
    assert way(replace(RENTED, one_gpu_model=False), "rent").usd_per_m_output == 0.5


def test_owning_says_from_which_use_on_it_wins() -> None:
    own = replace(RENTED, spent={"own": Spent(500.0, 500.0)}, own_wins_above_busy=0.82)
    assert way(own, "own").wins_above_busy == 0.82


def test_a_cost_without_tokens_is_infinite() -> None:
    assert way(replace(RENTED, output_tokens=0.0), "rent").usd_per_m_output == math.inf


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.floats(0.01, 1.0), st.floats(1, 1e12))
def test_at_its_break_even_price_elastic_rent_costs_what_was_paid(
    usd: float, hours: float, in_use: float, tokens: float
) -> None:
    below = way(Paid({"rent": Spent(usd, hours)}, in_use, tokens, None), "elastic rent").wins_below_usd_per_gpu_hour
    assert below is not None
    assert below * hours * in_use == pytest.approx(usd)
