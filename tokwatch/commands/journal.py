"""What a recorder without a screen says while it runs: one line for each trouble and alert that begins or is over."""

from __future__ import annotations

from collections.abc import Callable

from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import ProblemBody, body
from tokwatch.ledger.entries import Event, TickRecord
from tokwatch.ledger.gpu_rows import state_name


class Journal:
    """Listens to a recorder; `say` prints a line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._alerts: dict[str, str] = {}
        self._troubles: dict[str, str] = {}

    def take(self, record: TickRecord) -> None:
        """One tick."""
        for event in record.events:
            if event.kind == "alert":
                self._alert(event)
            elif event.kind == "problem" and event.entity == 0:
                self._trouble(event)

    def _trouble(self, event: Event) -> None:
        """The recorder's own: a full disk, a driver that does not answer. Its words may go on changing: said once."""
        text = body(event, ProblemBody).text
        before = self._troubles.get(event.key, "")
        if text and not before:
            self._say(f"trouble: {text}")
        elif before and not text:
            self._say(f"over: {before}")
        self._troubles[event.key] = text

    def _alert(self, event: Event) -> None:
        """Unless it is muted or a fault says it already."""
        alert = body(event, AlertBody)
        if self._alerts.get(event.key) == alert.status or alert.status == "resolving" or not alert.leaves:
            return
        self._alerts[event.key] = alert.status
        if alert.status != "pending" and alert.fired_ms is not None:
            self._say(f"{alert.status}: {_subject(event.key, alert)}: {alert.text}")


def _subject(key: str, alert: AlertBody) -> str:
    if alert.of != "state":
        return key
    return f"{state_name(alert.state)} on {len(alert.gpus)} GPU{'s' if len(alert.gpus) != 1 else ''}"
