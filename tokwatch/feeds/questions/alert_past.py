"""Alerts that a Snapshot does not hold: those that wait, those that are over, and the mutes in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from tokwatch.feeds.history import History
from tokwatch.ledger.alert_rows import alert_row, alert_rows
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import AlertRow
from tokwatch.ledger.view import Spent

LATELY_MS: Final = 24 * 3_600_000
_AT_MOST: Final = 200  # rows: a flapping alert ends every few minutes


class AlertsAround(msgspec.Struct, frozen=True):
    """What there is beside the alerts that stand."""

    pending: tuple[AlertRow, ...] = ()
    over: tuple[AlertRow, ...] = ()  # that had fired, the last one first
    over_before: int = 0  # how many more of them there were
    mutes: tuple[Mute, ...] = ()  # in force then


class AlertPast(msgspec.Struct, frozen=True):
    """As of a stored tick: the last one at or before `tick_ms`."""

    tick_ms: int
    lately_ms: int = LATELY_MS

    def answer(self, past: History) -> AlertsAround:
        """Each alert that ended lately, with what it cost in all."""
        at_ms = past.last_tick(self.tick_ms)
        if at_ms is None:
            return AlertsAround()
        moment = Moment(past.view_at(at_ms))
        over = list(_ended(past, at_ms - self.lately_ms, at_ms))[::-1]
        return AlertsAround(
            pending=alert_rows(moment, ("pending",)),
            over=tuple(alert_row(moment, key, body, _spent(past, body)) for key, body in over[:_AT_MOST]),
            over_before=max(0, len(over) - _AT_MOST),
            mutes=tuple(mute for mute in past.reader.mutes() if mute.in_force(at_ms)),
        )


def _ended(past: History, from_ms: int, to_ms: int) -> Iterator[tuple[str, AlertBody]]:
    for event in past.reader.events(from_ms, to_ms, kinds=("alert",), runs=past.ids):
        body = msgspec.json.decode(event.body, type=AlertBody)
        if body.status == "resolved" and body.fired_ms is not None and body.cleared_ms is not None:
            yield event.key, body


def _spent(past: History, body: AlertBody) -> dict[int, Spent]:
    """By GPU; one that left and came back counts with both stretches."""
    spent: dict[int, Spent] = {}
    for (gpu, _), times in past.in_alert(body, body.cleared_ms or 0).items():
        of_gpu = spent.setdefault(gpu, {})
        for version, length_ms in times.items():
            of_gpu[version] = of_gpu.get(version, 0) + length_ms
    return spent
