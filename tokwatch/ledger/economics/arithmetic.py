"""The divisions and sums of this package: unknown in, unknown out, and nothing raises on 0."""

from __future__ import annotations

import math
from typing import NamedTuple

PER_MILLION = 1e6
SECONDS_PER_HOUR = 3600.0


def ratio(amount: float | None, base: float | None) -> float | None:
    """amount ÷ base; None when either is unknown or the base is 0."""
    if amount is None or not base:
        return None
    return amount / base


def cost_each(cost: float | None, count: float | None) -> float | None:
    """A cost (dollars, joules) ÷ what it was spent on; infinite for a cost above 0 spent on nothing."""
    if cost is None or count is None:
        return None
    if not count:
        return math.inf if cost > 0 else None
    return cost / count


def bill(*lines: tuple[float, float | None]) -> float | None:
    """Σ tokens × $/M ÷ 10⁶ in dollars over lines of (tokens, $/M); None when a line with tokens has no price."""
    dollars = 0.0
    for tokens, usd_per_m in lines:
        if not tokens:
            continue
        if usd_per_m is None:
            return None
        dollars += tokens * usd_per_m / PER_MILLION
    return dollars


class Sums(NamedTuple):
    """A ratio kept as its two sums, so that parts are added first and divided last."""

    amount: float = 0.0
    base: float = 0.0

    def plus(self, amount: float | None, base: float) -> Sums:
        """With one part more; a part whose amount is unknown adds to neither sum."""
        return self if amount is None else Sums(self.amount + amount, self.base + base)

    @property
    def ratio(self) -> float | None:
        """amount ÷ base; None without a base."""
        return ratio(self.amount, self.base)
