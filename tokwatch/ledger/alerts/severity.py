"""How severe idle GPUs are, by what part of the host's cost they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tokwatch.ledger.alerts.body import Severity, at_least
from tokwatch.ledger.alerts.rules import SeverityShares


def cost_share(gpus: Collection[int], usd_per_hour: Mapping[int, float | None]) -> float | None:
    """What these GPUs cost an hour over what all of them do, 0..1; None where one of them has no price."""
    prices = [usd_per_hour.get(gpu) for gpu in gpus]
    known = [price for price in prices if price is not None]
    whole = sum(price for price in usd_per_hour.values() if price is not None)
    return sum(known) / whole if whole and len(known) == len(prices) else None


def by_cost(own: Severity, share: float | None, shares: SeverityShares) -> Severity:
    """The rule's own severity, moved by money: what costs next to nothing is information and no more, what costs much
    is at least a warning. In between, and without a price, the rule's own holds, which rises with time."""
    if share is None:
        return own
    if share < shares.info_below:
        return "info"
    if share >= shares.critical_from:
        return "critical"
    return "warning" if share >= shares.warning_from and not at_least(own, "warning") else own
