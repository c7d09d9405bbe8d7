"""What the past adds to the alerts of the box: one that waits, two that are over, one mute."""

from __future__ import annotations

from tokwatch.feeds.questions.alert_past import AlertPast, AlertsAround


def alert_past(question: AlertPast) -> AlertsAround:
    """As far as it was so at the moment that is asked about."""
    from tests.dashboard.scenes.alerts import MUTE, OVER, PENDING  # which import the table that this stands in

    now_ms = question.tick_ms
    return AlertsAround(
        pending=(PENDING,) if PENDING.since_ms <= now_ms else (),
        over=tuple(alert for alert in OVER if alert.cleared_ms is not None and alert.cleared_ms <= now_ms),
        mutes=(MUTE,) if MUTE.in_force(now_ms) else (),
    )


def nothing_around(_: AlertPast) -> AlertsAround:
    """Nothing waits, nothing was."""
    return AlertsAround()
