"""The monthly budget: what is spent, and what it comes to by the end of the host's local month at the pace so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from tokwatch.ledger.alerts.body import AlertBody, Severity
from tokwatch.ledger.alerts.lifecycle import Seen

_SHORTEST_MS = 3_600_000  # less than an hour says nothing about a month


@dataclass(frozen=True, slots=True)
class Spending:
    """What was spent in (from_ms, to_ms], which lies within one month. What was not watched before it is not in it."""

    usd: float
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Burn:
    """A month's money at one instant."""

    spent_usd: float
    projected_usd: float  # by the month's end
    usd_per_hour: float  # mean pace so far
    rate: float  # that pace over the one that would use up exactly the budget in a month; above 1 is too fast


def month_span_ms(at_ms: int, zone: tzinfo) -> tuple[int, int]:
    """[first, next) of the local month that holds an instant, Unix milliseconds."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    first = datetime(local.year, local.month, 1, tzinfo=zone)
    after = datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
    return int(first.timestamp() * 1000), int(after.timestamp() * 1000)


def burn(usd_per_month: float, spending: Spending, now_ms: int, zone: tzinfo) -> Burn | None:
    """None before an hour of the month is known, or when the spending is of another month."""
    first_ms, next_ms = month_span_ms(now_ms, zone)
    watched_ms = spending.to_ms - spending.from_ms
    if watched_ms < _SHORTEST_MS or not first_ms <= spending.from_ms <= spending.to_ms <= next_ms:
        return None
    usd_per_ms = spending.usd / watched_ms
    projected_usd = spending.usd + usd_per_ms * (next_ms - spending.to_ms)
    rate = usd_per_ms * (next_ms - first_ms) / usd_per_month
    return Burn(spending.usd, projected_usd, usd_per_ms * 3_600_000, rate)


def see_budget(
    usd_per_month: float, before: AlertBody | None, spending: Spending | None, now_ms: int, zone: tzinfo
) -> Seen:
    """Holds when the projection is over the budget; critical when the money is spent."""
    month = burn(usd_per_month, spending, now_ms, zone) if spending is not None else None
    if month is None:
        return Seen(None)
    if month.projected_usd <= usd_per_month:
        return Seen(False)
    severity: Severity = "critical" if month.spent_usd >= usd_per_month else "warning"
    last = before if before is not None and before.status != "resolved" else None
    if last is not None and last.stands and last.severity == severity:  # amounts are news when something happens
        return Seen(True, due=True, since_ms=last.since_ms, severity=severity, text=last.text, of="budget")
    text = f"{month.spent_usd:.0f} of {usd_per_month:.0f} spent, {month.projected_usd:.0f} by the month's end"
    since_ms = last.since_ms if last is not None else now_ms
    return Seen(True, due=True, since_ms=since_ms, severity=severity, text=text, of="budget")
