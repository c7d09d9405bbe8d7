"""Cost by part of charges and of a Snapshot, and as rates of the time that was watched."""

from __future__ import annotations

import pytest

from tests.ledger.earning import LIST, shown
from tokwatch.ledger.charges import Amount, Charges
from tokwatch.ledger.cost_past import CostBucket, CostByPart, CostHistory, by_part, present_by_part, watched_ms
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.gpu_terms import Rent, TermsFor
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.rating import Rate

HOUR_MS = 3_600_000
USD = CostByPart(1.0, 2.0, 0.5)
METERED = Rate(1, terms=Rent(2.0, power_included=False), usd_per_kwh=0.2)


def hour(board_mj: int) -> Amount:
    return Amount(HOUR_MS, HOUR_MS, HOUR_MS, board_mj)


def test_idleness_keeps_its_electricity_and_the_parts_add_up() -> None:
    charges = Charges(busy={METERED: hour(1_800_000_000)}, idle={METERED: hour(360_000_000)})
    found = by_part(charges)
    assert found is not None
    assert found == pytest.approx((2.02, 2.0, 0.1))
    assert found.total == pytest.approx(charges.total_usd)


def test_idle_time_alone_has_no_cost_of_work() -> None:
    assert by_part(Charges(idle={METERED: hour(0)})) == (2.0, 0.0, 0.0)


def test_without_a_price_there_is_no_cost() -> None:
    assert by_part(Charges(busy={Rate(): hour(1)})) is None


def test_a_rate_is_of_the_time_that_was_watched() -> None:
    assert CostBucket(USD, HOUR_MS // 2).usd_per_hour == (2.0, 4.0, 1.0)
    assert CostBucket(USD, 0).usd_per_hour is None
    assert CostBucket(None, HOUR_MS).usd_per_hour is None


def test_the_gpu_that_was_watched_longest_says_how_long() -> None:
    assert watched_ms([(0, 1, 300), (0, 1, 200), (0, 2, 400), (900, 1, 7)]) == {0: 500, 900: 7}


def test_a_young_recording_fills_the_chart() -> None:
    nothing, known = CostBucket(None, 0), CostBucket(USD, HOUR_MS)
    young = CostHistory(0, 10, (nothing,) * 6 + (known, nothing, known)).since_known(2)
    assert (young.from_ms, len(young.buckets)) == (60, 3)
    assert len(CostHistory(0, 10, (nothing,) * 6 + (known,)).since_known(4).buckets) == 4
    assert CostHistory(0, 10, (nothing,) * 3).since_known(2).buckets == (nothing,) * 3


def test_a_moments_parts_add_up_to_its_cost() -> None:
    prices = Prices(terms=(TermsFor(Rent(2.0, power_included=False)),), electricity=Flat(0.2), tokens=LIST)
    cost = shown(prices, free=1).economy.cost
    parts = present_by_part(cost)
    assert parts is not None
    assert parts.total == pytest.approx(cost.total.value)
    assert parts.idle == pytest.approx(2.0 + 0.06 * 0.2)
    assert parts.energy == pytest.approx(0.3 * 0.2)
    assert present_by_part(shown(None).economy.cost) is None
