"""Alerts: what becomes one, how severe it is, when it ends, who does not want to hear of it. Pure."""

from tokwatch.ledger.alerts.body import SEVERITIES, AlertBody, Severity, at_least
from tokwatch.ledger.alerts.rules import AlertPolicy
from tokwatch.ledger.alerts.tracker import AlertTracker, Watched

__all__ = ["SEVERITIES", "AlertBody", "AlertPolicy", "AlertTracker", "Severity", "Watched", "at_least"]
