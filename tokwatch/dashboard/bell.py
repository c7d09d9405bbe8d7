"""When the terminal's bell rings: an alert begins to fire while somebody may be looking elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from tokwatch.ledger.snapshot import AlertRow, Snapshot

if TYPE_CHECKING:  # the rules of alerts and states are not part of the first frame
    from tokwatch.ledger.alerts import Severity

_NEVER: Final = "never"


class Bell:
    """Remembers what it rang for. What fires at the first Snapshot is no news: the user has just looked."""

    def __init__(self, floor: Severity | Literal["never"] = _NEVER) -> None:
        """floor: less severe alerts do not ring."""
        self._floor = floor
        self._known: frozenset[tuple[str, int | None]] | None = None

    def rings(self, snapshot: Snapshot) -> bool:
        """Whether this Snapshot has an alert to ring for. Only what a recorder sees now ever rings."""
        if self._floor == _NEVER or snapshot.mode != "live" or snapshot.kind != "recorded":
            return False
        loud = frozenset((alert.key, alert.fired_ms) for alert in snapshot.alerts if self._is_loud(alert))
        news = self._known is not None and bool(loud - self._known)
        self._known = loud | (self._known or frozenset())
        return news

    def _is_loud(self, alert: AlertRow) -> bool:
        from tokwatch.ledger.alerts import at_least

        return alert.status == "firing" and alert.leaves and at_least(alert.severity, self._floor)
