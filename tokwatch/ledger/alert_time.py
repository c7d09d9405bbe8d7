"""How long each GPU of an alert was wasted since it came to it, by price version: what the alert cost so far."""

from __future__ import annotations

from collections.abc import Mapping

from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import State

Spent = dict[int, int]  # milliseconds by price version; version 0: before the first price
Member = tuple[int, int]  # (GPU, when the state that brought it to the alert began)


class AlertTime:
    """Of the alerts in force, by key. A GPU that leaves an alert and comes back counts with both stretches."""

    def __init__(self) -> None:
        self.spent: dict[str, dict[Member, Spent]] = {}
        self._alerts: dict[str, AlertBody] = {}

    def take(self, key: str, alert: AlertBody, in_state: Mapping[int, Spent]) -> None:
        """What is in force of an alert now. in_state: each GPU's time in its present state, which it comes with."""
        if not State(alert.state).wasted:
            return
        self._alerts[key] = alert
        before = self.spent.get(key, {})
        self.spent[key] = {
            member: before[member] if member in before else dict(in_state.get(member[0], {}))
            for member in alert.members
        }

    def book(self, gpu: int, state: int, start_ms: int, end_ms: int, version: int) -> None:
        """A GPU was in a state for (start, end] under one price version."""
        for key, alert in self._alerts.items():
            if alert.state != state or alert.status == "resolved":
                continue
            for member, spent in self.spent[key].items():
                if member[0] == gpu and (length_ms := clip_ms(start_ms, end_ms, member[1], end_ms)):
                    spent[version] = spent.get(version, 0) + length_ms

    def of(self, key: str, gpu: int) -> Spent:
        """All of a GPU's time in an alert."""
        return next((spent for member, spent in self.spent.get(key, {}).items() if member[0] == gpu), {})


def span_of(alert: AlertBody, member: Member, now_ms: int) -> tuple[int, int]:
    """(from, to] in which a GPU's time in the alert's state is the alert's."""
    over = alert.status == "resolved" and alert.cleared_ms is not None
    return member[1], alert.cleared_ms if over and alert.cleared_ms is not None else now_ms
