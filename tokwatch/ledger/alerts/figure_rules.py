"""What a rule on a figure sees: whether its condition holds, and for how long it is known to have held."""

from __future__ import annotations

import math

from tokwatch.ledger.alerts.body import AlertBody
from tokwatch.ledger.alerts.conditions import Bounds, Figures
from tokwatch.ledger.alerts.lifecycle import Seen
from tokwatch.ledger.alerts.rules import FigureRule


def see_figure(rule: FigureRule, before: AlertBody | None, now_ms: int, figures: Figures | None) -> Seen:
    """A figure that is unknown is neither within nor beyond its limit, and time without it does not count."""
    readings = figures.get(rule.condition.figure, ()) if figures is not None else ()
    holds = rule.condition.holds(readings)
    if not holds:
        return Seen(holds)
    last = before if before is not None and before.status != "resolved" else None
    since_ms = now_ms if last is None else last.since_ms
    if last is not None and last.status == "pending" and last.stale_since_ms is not None:
        since_ms += now_ms - last.stale_since_ms
    due = now_ms - since_ms >= rule.fire_after_s * 1000
    # The number is told as it was when something happened: with each new one the alert would be news all the time.
    told = last is not None and (last.stands or not due)
    text = last.text if last is not None and told else f"{rule.condition}: {_words(rule.condition.which(readings))}"
    return Seen(True, due=due, since_ms=since_ms, severity=rule.severity, text=text, of="figure")


def _words(reading: Bounds | None) -> str:
    if reading is None:
        return "unknown"
    low, high = (("∞" if math.isinf(bound) else f"{bound:.4g}") for bound in reading)
    return f"it is {low}" if low == high else f"it is {low} to {high}"
