"""What the GPUs cost by part, bucket by bucket: quarter rows priced as in all tables, for a chart over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tokwatch.exports.background import Background
from tokwatch.exports.hours import hour_of
from tokwatch.exports.money.alike import Alike
from tokwatch.exports.pricing import Pricing
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.cost_past import CostBucket, CostHistory, by_part, watched_ms
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS


def cost_history(
    stretches: Iterable[Quarters], background: Background, from_ms: int, to_ms: int, step_ms: int
) -> CostHistory:
    """Buckets of whole quarter hours in [from_ms, to_ms), in the currency in force at its end.

    What was paid in another currency, and what was owed while nobody watched, is in no bucket.
    """
    sums: dict[int, Charges] = defaultdict(Charges)
    watched: dict[int, int] = defaultdict(int)
    currency = background.currency(hour_of(to_ms - 1))
    for quarters in stretches:
        rows = [row for row in quarters.gpus if background.currency(hour_of(row.quarter_ms)) == currency]
        pricing = Pricing(quarters, background)
        alike = Alike(pricing.rates, each_gpu=False, each_quarter=step_ms < to_ms - from_ms)
        for row in alike.added(rows, _undivided):
            pricing.book(row, sums[(row.quarter_ms - from_ms) // step_ms])
        for quarter_ms, ms in watched_ms((row.quarter_ms, row.entity, row.observed_ms) for row in rows).items():
            watched[(quarter_ms - from_ms) // step_ms] += min(ms, QUARTER_MS)
    numbers = range((to_ms - from_ms) // step_ms)
    found = (CostBucket(by_part(sums[number]) if number in sums else None, watched[number]) for number in numbers)
    return CostHistory(from_ms, step_ms, tuple(found))


def _undivided(owner: int) -> bool:
    """Whose tokens share a GPU changes nothing of what it costs."""
    return False
