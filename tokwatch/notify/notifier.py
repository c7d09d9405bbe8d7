"""From the ticks of a live recorder to its outlets. A replay, a demo or an import never has one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tokwatch.ledger.alert_rows import alert_bodies, alert_row, alert_rows
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import AlertRow
from tokwatch.ledger.view import View
from tokwatch.notify.channel import Channel
from tokwatch.notify.message import Message

REMIND_EVERY_MS = 60_000
_CLOSE_WITHIN_S = 5.0


class Notifier:
    """`view`: what every tick was folded into before it comes here."""

    def __init__(self, view: Callable[[], View], channels: Sequence[Channel]) -> None:
        self._view = view
        self._channels = channels
        self._reminded_ms: int | None = None
        if view().tick is not None:
            for alert in alert_rows(Moment(view())):
                for channel in channels:
                    channel.was_told(alert)

    def take(self, record: TickRecord) -> None:
        """After every tick."""
        if not self._channels:
            return
        wall_ms = record.tick.wall_ms
        changed = [event.key for event in record.events if event.kind == "alert"]
        due = self._reminded_ms is None or not 0 <= wall_ms - self._reminded_ms < REMIND_EVERY_MS
        if not changed and not due:
            return
        moment = Moment(self._view())
        bodies = alert_bodies(moment)
        for key in changed:
            if bodies[key].fired_ms is not None:  # else it was pending, and that is nobody's news
                message = _message(moment, alert_row(moment, key, bodies[key]), wall_ms)
                for channel in self._channels:
                    channel.take(message)
        if due:
            self._reminded_ms = wall_ms
            standing = [_message(moment, alert, wall_ms) for alert in alert_rows(moment)]
            for channel in self._channels:
                channel.remind(standing)

    async def close(self) -> None:
        """What waits is sent, for a few seconds."""
        await asyncio.gather(*(channel.close(_CLOSE_WITHIN_S) for channel in self._channels))


def _message(moment: Moment, alert: AlertRow, wall_ms: int) -> Message:
    return Message(
        status="resolved" if alert.status == "resolved" else "firing",
        host=moment.view.run.host,
        currency=moment.version.prices.currency if moment.version else "USD",
        at_ms=wall_ms,
        alert=alert,
    )
