"""One outlet with its queue: what it was told of, what is news to it, and one message at a time on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from tokwatch.ledger.alerts import at_least
from tokwatch.ledger.snapshot import AlertRow
from tokwatch.notify.message import Message
from tokwatch.notify.outlet import NotifyError, Outlet

_MOST_WAITING = 100  # an outlet that hangs must not grow without bound


class Channel:
    """`floor`: less severe alerts are not told here. `tell`: takes (what, words) of trouble, empty words when over."""

    def __init__(
        self,
        outlet: Outlet,
        floor: str,
        tell: Callable[[str, str], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._outlet = outlet
        self._floor = floor
        self._tell = tell
        self._sleep = sleep
        self._told: dict[str, str] = {}  # by alert, the most severe that it was told as
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(_MOST_WAITING)
        self._working: asyncio.Task[None] | None = None

    def was_told(self, alert: AlertRow) -> None:
        """An earlier recorder told it."""
        if alert.leaves and at_least(alert.severity, self._floor):
            self._told[alert.key] = alert.severity

    def take(self, message: Message) -> None:
        """An alert has changed. Queues it where that is news: it fires, is more severe than was told, or is over."""
        alert = message.alert
        told = self._told.get(alert.key)
        if message.status == "resolved":
            self._told.pop(alert.key, None)
            if told is not None and alert.leaves:
                self._put(message)
        elif alert.leaves and at_least(alert.severity, self._floor if told is None else told):
            self._told[alert.key] = alert.severity
            if alert.severity != told:
                self._put(message)

    def remind(self, messages: Iterable[Message]) -> None:
        """All alerts that stand now: those that were told are sent again where the outlet wants that."""
        if not self._outlet.wants_reminders or not self._waiting.empty():
            return
        for message in messages:
            if message.alert.key in self._told and message.alert.leaves:
                self._put(message)

    async def close(self, within_s: float) -> None:
        """Send what is waiting, as far as the time allows."""
        if self._working is not None:
            sent = asyncio.ensure_future(self._waiting.join())
            await asyncio.wait({sent, self._working}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            for task in (sent, self._working):
                task.cancel()
            await asyncio.wait({sent, self._working})
        await self._outlet.close()

    def _put(self, message: Message) -> None:
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self._tell(self._outlet.name, f"{message.summary}: not told, {_MOST_WAITING} alerts wait before it")
            return
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
            self._working.add_done_callback(self._ended)

    async def _work(self) -> None:
        while True:
            message = await self._waiting.get()
            try:
                await self._deliver(message)
            finally:
                self._waiting.task_done()

    async def _deliver(self, message: Message) -> None:
        for wait_s in (*self._outlet.retries_s, None):
            try:
                await self._outlet.send(message)
            except NotifyError as error:
                self._tell(self._outlet.name, f"an alert was not told: {error}")
            else:
                self._tell(self._outlet.name, "")
                return
            if wait_s is not None:
                await self._sleep(wait_s)

    def _ended(self, working: asyncio.Task[None]) -> None:
        # Whatever an outlet raises must not end the recording: it is told, and the next alert starts the work anew.
        error = None if working.cancelled() else working.exception()
        if error is not None:
            self._tell(self._outlet.name, f"an alert was not told: {error!r}")
