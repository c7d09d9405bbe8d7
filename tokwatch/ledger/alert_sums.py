"""Alert sums: what all alerts that fire waste together."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tokwatch.ledger.alert_rows import AT_WORK
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import known_total
from tokwatch.ledger.snapshot import AlertRow


class AlertSums(msgspec.Struct, frozen=True):
    """A GPU is in one state at a time, so no dollar is in two of them. Muted ones are in: they cost as much."""

    firing: int
    usd_per_hour: Figure
    usd_per_day: Figure
    usd_so_far: Figure


def alert_sums(alerts: Iterable[AlertRow]) -> AlertSums:
    """Of those that fire; those about GPUs at work waste nothing."""
    firing = [alert for alert in alerts if alert.status == "firing"]

    def added(figures: Iterable[Figure]) -> Figure:
        wasted = [figure for figure in figures if figure.value is not None or figure.why != AT_WORK]
        return known_total(wasted, AT_WORK if firing else "no alert fires")

    return AlertSums(
        len(firing),
        added(alert.usd_per_hour for alert in firing),
        added(alert.usd_per_day for alert in firing),
        added(alert.usd_so_far for alert in firing),
    )
