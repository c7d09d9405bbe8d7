"""Charges: whole numbers at rates, which add up and are divided without a loss; dollars at the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.charges import Amount, Charges
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Electricity, Flat, Series
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import PricedGpu, Rent
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.rating import Rate, rate_of, segments

HOUR_MS = 3_600_000
QUARTER_MS = HOUR_MS // 4
KWH = 3_600_000_000  # mJ
GPU = PricedGpu("GPU-a", "H100", "dgx-03")
METERED = Rent(2.0, power_included=False)


def hour(rate: Rate, board_mj: int = KWH, *, idle: bool = False, ms: int = HOUR_MS) -> Charges:
    charges = Charges(gpus={1})
    charges.book(rate, Amount(ms, ms, ms, board_mj), idle=idle)
    return charges


def version(number: int, from_ms: int, electricity: Electricity | None = None, currency: str = "USD") -> PriceVersion:
    prices = Prices(currency, usd_per_gpu_hour=2.0, electricity=electricity)
    return PriceVersion(number, from_ms, from_ms, "config", prices)


# --- rates ------------------------------------------------------------------------------------------------------------


def test_a_period_is_cut_where_the_version_or_the_tariff_changes() -> None:
    market = Series("prices.csv", (0, QUARTER_MS), (0.1, 0.2), 3 * QUARTER_MS)
    book = PriceBook((version(1, 0, market), version(2, 2 * QUARTER_MS + 5, market)))
    found = [
        (to_ms - from_ms, held.id if held else 0, usd_per_kwh)
        for from_ms, to_ms, held, usd_per_kwh in segments(book, "h1", 0, HOUR_MS)
    ]
    assert found == [
        (QUARTER_MS, 1, 0.1),
        (QUARTER_MS + 5, 1, 0.2),
        (QUARTER_MS - 5, 2, 0.2),
        (QUARTER_MS, 2, None),
    ]


def test_another_currency_is_no_price() -> None:
    assert rate_of(version(1, 0, Flat(0.1)), "h1", Rent(2.0), 0.1, "EUR").terms is None
    assert rate_of(version(1, 0, Flat(0.1)), "h1", Rent(2.0), 0.1, "USD").terms == Rent(2.0)
    assert rate_of(None, "h1", None, None, None) == Rate()


# --- dollars ----------------------------------------------------------------------------------------------------------


def test_energy_is_paid_for_only_where_it_is_metered() -> None:
    assert hour(Rate(1, terms=METERED, usd_per_kwh=0.3)).total_usd == pytest.approx(2.3)
    assert hour(Rate(1, terms=Rent(2.0), usd_per_kwh=0.3)).total_usd == 2.0


def test_without_a_price_nothing_is_a_cost() -> None:
    charges = hour(Rate())
    assert (charges.total_usd, charges.energy_usd, charges.parts, charges.basis) == (None,) * 4
    assert (charges.unpriced_ms, charges.complete, charges.facility_kwh) == (HOUR_MS, False, 1.0)


def test_electricity_without_a_price_makes_a_cost_incomplete() -> None:
    charges = hour(Rate(1, terms=METERED, facility=Facility(pue=1.5)))
    assert (charges.total_usd, charges.energy_usd, charges.unpriced_kwh, charges.complete) == (2.0, None, 1.5, False)


def test_idle_time_costs_its_energy_too() -> None:
    rate = Rate(1, terms=METERED, usd_per_kwh=0.4)
    charges = hour(rate, KWH // 2)
    charges.add(hour(rate, KWH // 4, idle=True, ms=QUARTER_MS))
    assert (charges.busy_usd, charges.idle_usd) == pytest.approx((2.2, 0.6))
    assert charges.total_usd == pytest.approx(2.8)


def test_the_price_of_an_hour_and_of_a_kilowatt_hour_are_means_by_time_and_by_energy() -> None:
    charges = hour(Rate(1, terms=Rent(1.0, power_included=False), usd_per_kwh=0.1), 3 * KWH)
    charges.add(hour(Rate(2, terms=Rent(4.0, power_included=False), usd_per_kwh=0.5), KWH, ms=HOUR_MS // 2))
    assert charges.usd_per_hour == pytest.approx(2.0)
    assert charges.usd_per_kwh == pytest.approx(0.2)
    assert (charges.versions, charges.restated, charges.basis) == (frozenset({1, 2}), False, "rent")


def test_nothing_at_all_is_unknown_and_not_zero() -> None:
    charges = Charges()
    assert charges.empty
    assert (charges.energy_mj, charges.facility_kwh, charges.energy_basis, charges.gco2e) == (None,) * 4
    assert (charges.total_usd, charges.usd_per_hour, charges.usd_per_kwh, charges.carbon) == (None,) * 4


# --- division ---------------------------------------------------------------------------------------------------------


amounts = st.builds(Amount, *(st.integers(0, 10**10) for _ in Amount._fields))
some_rates = st.builds(
    Rate,
    st.integers(1, 2),
    st.just(False),
    st.none() | st.sampled_from([METERED, Rent(3.0)]),
    st.none() | st.just(0.3),
    st.builds(Facility, st.none() | st.just(1.2), st.sampled_from(["", "ratio"]), st.none(), st.just(0.4)),
)


@given(
    st.lists(st.tuples(some_rates, amounts, st.booleans()), max_size=5),
    st.lists(st.integers(0, 10**12), min_size=1, max_size=5),
)
def test_parts_of_charges_add_up_to_them(booked: list[tuple[Rate, Amount, bool]], weights: list[int]) -> None:
    whole = Charges()
    for rate, amount, idle in booked:
        whole.book(rate, amount, idle=idle)
    again = Charges()
    for part in whole.split(weights):
        again.add(part)
    nothing = Amount()
    assert again.busy == {r: e for r, e in whole.busy.items() if e != nothing}
    assert again.idle == {r: e for r, e in whole.idle.items() if e != nothing}
    assert (again.total_usd or 0) == pytest.approx(whole.total_usd or 0)
    parts = whole.parts
    assert (whole.busy_usd or 0) + (whole.idle_usd or 0) == pytest.approx(parts.total if parts else 0)
