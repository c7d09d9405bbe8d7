"""Break-even: where it lies, what it assumes, and why there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.economics.break_even import (
    API_IS_FREE,
    COST_IS_FIXED,
    NO_API_PRICE,
    NO_COST,
    NO_RENT,
    RENT_BELOW_ENERGY,
    RENT_IS_ELASTIC,
    RESERVED,
    SAME_SERVICE,
    rent_or_own,
    self_or_api,
)

RATES = st.floats(0.01, 100.0)


@given(RATES, RATES, RATES)
def test_at_the_break_even_owning_and_renting_cost_the_same(own: float, margin: float, energy: float) -> None:
    rent = energy + margin
    share = rent_or_own(own, rent, energy).utilisation
    assert share is not None
    assert own + energy * share == pytest.approx(rent * share)


def test_own_electricity_moves_the_break_even_up() -> None:
    assert rent_or_own(1.0, 2.0).utilisation == 0.5
    assert rent_or_own(1.0, 2.0, 0.4).utilisation == 0.625


def test_above_1_elastic_rent_is_cheaper_at_any_use() -> None:
    share = rent_or_own(3.0, 2.0).utilisation
    assert share is not None
    assert share > 1


@pytest.mark.parametrize(
    ("own", "rent", "energy", "reserved", "why"),
    [
        (1.0, 2.0, 0.0, True, RESERVED),
        (None, 2.0, 0.0, False, NO_COST),
        (1.0, None, 0.0, False, NO_RENT),
        (1.0, 0.1, 0.2, False, RENT_BELOW_ENERGY),
        (1.0, 0.0, 0.0, False, RENT_BELOW_ENERGY),
    ],
)
def test_where_there_is_no_break_even_the_reason_is_told(
    own: float | None, rent: float | None, energy: float, reserved: bool, why: str
) -> None:
    answer = rent_or_own(own, rent, energy, reserved=reserved)
    assert (answer.utilisation, answer.why_none) == (None, why)


@given(RATES, RATES, st.floats(1.0, 1e6))
def test_at_the_break_even_the_api_would_cost_the_same(hourly: float, price: float, capacity: float) -> None:
    even = self_or_api(hourly, price, capacity)
    assert even.mtok_per_hour is not None
    assert even.tok_per_s is not None
    assert even.mtok_per_hour * price == pytest.approx(hourly)
    assert even.utilisation == pytest.approx(even.tok_per_s / capacity)


@pytest.mark.parametrize("capacity", [None, 0.0])
def test_without_a_capacity_the_break_even_is_a_load_and_no_share(capacity: float | None) -> None:
    even = self_or_api(2.35, 2.19, capacity)
    assert even.tok_per_s is not None
    assert even.utilisation is None


@pytest.mark.parametrize(
    ("hourly", "price", "why"), [(None, 2.0, NO_COST), (2.0, None, NO_API_PRICE), (2.0, 0.0, API_IS_FREE)]
)
def test_an_api_that_cannot_be_compared_with_says_why(hourly: float | None, price: float | None, why: str) -> None:
    even = self_or_api(hourly, price)
    assert (even.mtok_per_hour, even.tok_per_s, even.utilisation, even.why_none) == (None, None, None, why)


def test_every_answer_carries_what_it_assumes() -> None:
    assert RENT_IS_ELASTIC in rent_or_own(None, None).assumptions
    assert {COST_IS_FIXED, SAME_SERVICE} <= set(self_or_api(2.35, 2.19).assumptions)
