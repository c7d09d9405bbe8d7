"""For any quarter hours and any price book: parts add up to the cost, and buckets to the table of hours."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings

from tests.exports.box import NOON_MS, StateLog, background
from tests.exports.strategies import price_versions, quarters
from tokwatch.exports.cost_history import cost_history
from tokwatch.exports.gpu_hour import gpu_hours
from tokwatch.exports.hours import HOUR_MS
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

FROM_MS, TO_MS = NOON_MS - 8 * HOUR_MS, NOON_MS + 8 * HOUR_MS


def total(amounts: Iterable[float | None]) -> float:
    return sum(amount or 0.0 for amount in amounts)


@given(quarters, price_versions())
@settings(max_examples=30, deadline=None)
def test_buckets_of_any_length_add_up_to_the_hours(stretch: Quarters, versions: tuple[PriceVersion, ...]) -> None:
    behind = background(*versions, states=StateLog())
    currency = behind.currency(TO_MS - HOUR_MS)
    hours = [row for row in gpu_hours(stretch, behind) if row.currency == currency]
    for step_ms in (QUARTER_MS, HOUR_MS, TO_MS - FROM_MS):
        found = cost_history([stretch], behind, FROM_MS, TO_MS, step_ms)
        spent = [bucket.usd for bucket in found.buckets if bucket.usd is not None]
        assert len(found.buckets) == (TO_MS - FROM_MS) // step_ms
        assert total(usd.total for usd in spent) == pytest.approx(total(row.cost_total_usd for row in hours))
        assert total(usd.idle for usd in spent) == pytest.approx(total(row.cost_idle_usd for row in hours))
