"""What-if: one term moves what it should move and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.economics.amounts import ANY_COUNT, ANY_USD, FACTORS, PRICES, TOKEN_PRICES, TOKENS
from tokwatch.ledger.economics.revenue import TokenPrices
from tokwatch.ledger.economics.token_cost import EQUAL, Split, Tokens
from tokwatch.ledger.economics.what_if import ASSUMPTIONS, Economics, what_if

NOW = Economics(
    fixed_usd=10.0,
    board_kwh=4.0,
    board_floor_kwh=1.0,
    host_kwh=1.0,
    pue=1.2,
    usd_per_kwh=0.5,
    tokens=Tokens(2e6, 1e6, 1e6),
    prices=TokenPrices(1.0, 0.5, None, 17.5),
)
RECORDS = st.builds(
    Economics,
    fixed_usd=ANY_USD,
    board_kwh=ANY_COUNT,
    board_floor_kwh=ANY_COUNT,
    host_kwh=ANY_COUNT,
    pue=st.none() | st.floats(1.0, 3.0),
    usd_per_kwh=PRICES,
    tokens=TOKENS,
    prices=TOKEN_PRICES,
)


def test_a_window_knows_what_it_cost_and_earned() -> None:
    assert (NOW.facility_kwh, NOW.energy_usd, NOW.cost_usd) == (6.0, 3.0, 13.0)
    assert (NOW.usd_per_m, NOW.usd_per_m_output, NOW.usd_per_m_marginal) == (3.25, 13.0, 0.75)
    assert (NOW.revenue_usd, NOW.profit_usd, NOW.margin) == (20.0, 7.0, 0.35)
    assert NOW.split(EQUAL) == Split(3.25, 3.25, 3.25)


@given(RECORDS)
def test_nothing_changed_is_the_same_record(record: Economics) -> None:
    assert what_if(record) == record


@given(RECORDS, FACTORS, FACTORS, FACTORS, st.none() | st.floats(1.0, 3.0), FACTORS)
def test_no_combination_of_terms_and_unknowns_raises(
    record: Economics, gpu_price: float, token_price: float, tariff: float, pue: float | None, utilisation: float
) -> None:
    after = what_if(
        record, gpu_price=gpu_price, token_price=token_price, tariff=tariff, pue=pue, utilisation=utilisation
    )
    assert (after.fixed_usd is None) == (record.fixed_usd is None)
    if not after.tokens.total:
        assert after.usd_per_m in (None, math.inf)
    assert after.margin is None or after.revenue_usd


def test_gpus_at_half_the_price_leave_electricity_as_it_was() -> None:
    after = what_if(NOW, gpu_price=0.5)
    assert (after.fixed_usd, after.energy_usd) == (5.0, 3.0)


def test_dearer_tokens_earn_more_and_cost_the_same() -> None:
    after = what_if(NOW, token_price=2)
    assert (after.revenue_usd, after.cost_usd) == (40.0, 13.0)


def test_the_tariff_and_the_pue_move_electricity_alone() -> None:
    assert what_if(NOW, tariff=2).energy_usd == 6.0
    assert what_if(NOW, pue=1.0).energy_usd == 2.5
    assert what_if(NOW, tariff=2, pue=1.0).fixed_usd == 10.0


def test_twice_the_load_spreads_the_fixed_cost_and_draws_more_above_the_floor_only() -> None:
    after = what_if(NOW, utilisation=2)
    assert after.tokens == Tokens(4e6, 2e6, 2e6)
    assert after.board_kwh == 7.0
    assert after.cost_usd == pytest.approx(10.0 + (7 + 1) * 1.2 * 0.5)
    assert after.usd_per_m == pytest.approx(14.8 / 8)


def test_no_load_draws_the_floor_and_is_infinitely_dear() -> None:
    after = what_if(NOW, utilisation=0)
    assert (after.board_kwh, after.usd_per_m) == (1.0, math.inf)


def test_without_a_floor_another_load_draws_nobody_knows_what() -> None:
    after = what_if(replace(NOW, board_floor_kwh=None), utilisation=2)
    assert (after.board_kwh, after.cost_usd) == (None, None)


def test_where_rent_holds_electricity_no_watt_need_be_known() -> None:
    rented = replace(NOW, board_kwh=None, board_floor_kwh=None, host_kwh=None, pue=None, usd_per_kwh=0.0)
    assert rented.cost_usd == 10.0
    assert what_if(rented, utilisation=2).usd_per_m == pytest.approx(10 / 8)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(replace(NOW, fixed_usd=None), id="fixed cost"),
        pytest.param(replace(NOW, board_kwh=None), id="boards"),
        pytest.param(replace(NOW, host_kwh=None), id="hosts"),
        pytest.param(replace(NOW, pue=None), id="PUE"),
        pytest.param(replace(NOW, usd_per_kwh=None), id="tariff"),
    ],
)
def test_a_part_that_is_unknown_makes_the_cost_unknown(record: Economics) -> None:
    assert (record.cost_usd, record.usd_per_m, record.profit_usd) == (None, None, None)
    assert record.revenue_usd == 20.0


def test_terms_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="tariff: a factor is 0 or more, not -1"):
        what_if(NOW, tariff=-1)
    with pytest.raises(ValueError, match=r"pue: .* 1 or more, not 0\.9"):
        what_if(NOW, pue=0.9)


def test_what_stays_the_same_is_said() -> None:
    assert any("SLO" in words for words in ASSUMPTIONS)
