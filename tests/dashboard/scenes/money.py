"""What the stored past of the box of the design mockups says of its money."""

from __future__ import annotations

from tokwatch.feeds.questions.cost_past import CostPast
from tokwatch.feeds.questions.paid_past import PaidPast
from tokwatch.feeds.questions.prices_at import PricesAt
from tokwatch.ledger.cost_past import CostBucket, CostByPart, CostHistory
from tokwatch.ledger.economics.ways_to_pay import Paid, Spent
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Rent, TermsFor
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices

PRICES = Prices(
    terms=(TermsFor(Rent(2.25, power_included=False)),),
    electricity=Flat(0.12),
    facility=Facility(pue=1.25, host="measured"),
    tokens=Tokens(
        prices=(TokenPrice(output=0.40, input=0.10, cached_input=0.01),),
        tiers={"priority": 2.5, "batch": 0.5},
        api=(TokenPrice(output=0.40, input=0.108, cached_input=0.01),),
    ),
)


def prices_at(question: PricesAt) -> Prices:
    return PRICES


def cost_past(question: CostPast) -> CostHistory:
    """A day with idle GPUs from 23:00 on, more of them at night, and a quarter of an hour that nobody watched."""
    from_ms, to_ms, step_ms = question.span
    if question.buckets == 1:
        return CostHistory(from_ms, to_ms - from_ms, (CostBucket(CostByPart(612.0, 8000.0, 400.0), to_ms - from_ms),))
    count = (to_ms - from_ms) // step_ms
    hours = step_ms / 3_600_000
    buckets = []
    for number in range(count):
        share = number / count
        idle = 0.0 if share < 0.38 or 0.76 < share < 0.91 else 2.29 + 1.6 * (0.38 < share < 0.7) + 2.29 * (share > 0.96)
        energy = 0.80 - 0.1 * (idle > 3)
        usd = CostByPart(idle * hours, (18.0 - idle) * hours, energy * hours)
        buckets.append(CostBucket(None if number == 30 else usd, 0 if number == 30 else step_ms))
    return CostHistory(from_ms, step_ms, tuple(buckets))


def paid_past(question: PaidPast) -> Paid:
    return Paid({"rent": Spent(3158.0, 1344.0)}, in_use=0.76, output_tokens=7.52e9, api_usd=4512.0)
