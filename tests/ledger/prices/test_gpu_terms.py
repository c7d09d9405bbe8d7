"""What holding a GPU costs an hour, by part. Reference figures: $320 000 for 8 GPUs, 4 years, 10 % and 5 % a year."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.prices.gpu_terms import HOURS_PER_YEAR, Own, Parts, Rent

STRAIGHT = Own(server_usd=320_000, gpus_per_server=8, years=4, opex_rate=0.05)
RECOVERED = Own(
    server_usd=320_000,
    gpus_per_server=8,
    years=4,
    cost_of_capital=0.10,
    depreciation="capital-recovery",
    opex_rate=0.05,
    colocation_usd_per_kw_month=184.06,
    provisioned_kw=1.275,
    power_included=True,
)


def test_rent_is_one_part() -> None:
    assert Rent(2.35).hourly == Parts(rent=2.35)


def test_straight_line_spreads_the_price_over_the_hours_of_its_life() -> None:
    assert round(STRAIGHT.hourly.capex, 5) == 1.14155
    assert round(STRAIGHT.hourly.opex, 5) == 0.22831


def test_capital_recovery_also_pays_for_the_capital() -> None:
    assert round(RECOVERED.hourly.capex, 5) == 1.37296


def test_colocation_is_paid_for_provisioned_power_and_all_in_makes_the_whole_cost() -> None:
    assert round(RECOVERED.hourly.space, 5) == 0.32147
    assert round(RECOVERED.hourly.total, 5) == 1.92274


def test_what_is_left_at_the_end_is_not_paid_for() -> None:
    kept = Own(server_usd=320_000, gpus_per_server=8, years=4, residual=0.25)
    assert kept.hourly.capex == pytest.approx(0.75 * STRAIGHT.hourly.capex)


owned = st.builds(
    Own,
    server_usd=st.floats(1000, 1e7),
    gpus_per_server=st.integers(1, 72),
    years=st.floats(0.5, 15),
    residual=st.floats(0, 1),
    cost_of_capital=st.floats(0.001, 0.5),
    depreciation=st.just("capital-recovery"),
)


@given(owned)
def test_capital_recovery_pays_back_the_price_with_interest(own: Own) -> None:
    """Present value of all hourly payments and of the residual is the price: the annuity's definition."""
    hourly_rate = (1 + own.cost_of_capital) ** (1 / HOURS_PER_YEAR) - 1
    discount = (1 + own.cost_of_capital) ** -own.years
    price = own.server_usd / own.gpus_per_server
    paid = own.hourly.capex * (1 - discount) / hourly_rate + price * own.residual * discount
    assert paid == pytest.approx(price, rel=1e-6)


@given(owned)
def test_capital_has_a_cost_on_top_of_straight_line(own: Own) -> None:
    straight = Own(
        server_usd=own.server_usd, gpus_per_server=own.gpus_per_server, years=own.years, residual=own.residual
    )
    assert own.hourly.capex >= straight.hourly.capex * (1 - 1e-9)


@given(st.lists(st.floats(0, 100), min_size=5, max_size=5), st.floats(0, 10))
def test_parts_add_up_and_scale(amounts: list[float], factor: float) -> None:
    parts = Parts(*amounts)
    assert parts.total == pytest.approx(sum(amounts))
    assert parts.times(factor).total == pytest.approx(parts.total * factor)
    assert parts.plus(parts).total == pytest.approx(2 * parts.total)
