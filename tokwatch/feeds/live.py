"""Now: Snapshots of the recorder in this process, or of another one's store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from tokwatch.feeds.clock import Clock
from tokwatch.feeds.cursor import Cursor
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.view import View

_POLL_S = 0.25
_RECENT_TICKS = 8  # a tick is on the disk within milliseconds


class Now(Protocol):
    """The right end of time."""

    def listen(self, listener: Callable[[Snapshot], None]) -> None: ...


class RecorderView:
    """The View of the recorder in this process, folded tick by tick."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._recent: deque[TickRecord] = deque(maxlen=_RECENT_TICKS)

    def listen(self, listener: Callable[[Snapshot], None]) -> None:
        self._listeners.append(listener)

    def take(self, record: TickRecord) -> None:
        """Fold in what the recorder just wrote."""
        self._view.apply(record)
        self._recent.append(record)
        if self._listeners:
            self.publish()

    def publish(self) -> None:
        """Say once more what is; after a change that is no tick."""
        if self._view.tick is None:
            return
        current = snapshot(self._view, mode="live")
        for listener in self._listeners:
            listener(current)

    @property
    def view(self) -> View:
        """What was folded so far; another one after prices were told from elsewhere."""
        return self._view

    @property
    def last_tick_ms(self) -> int | None:
        return None if self._view.tick is None else self._view.tick.tick_ms

    @property
    def book(self) -> PriceBook:
        return self._view.book

    @book.setter
    def book(self, book: PriceBook) -> None:
        self._view.book = book
        self.publish()

    def take_prices(self, told: View | PriceBook) -> bool:
        """Prices from another process: the View of a stored tick under them, or the book alone while none is stored.

        False: not yet, because the disk, or a price that was set here, has not come that far.
        """
        book = told.book if isinstance(told, View) else told
        if {version.id for version in self.book.versions} - {version.id for version in book.versions}:
            return False
        if isinstance(told, View) and told.tick is not None:
            newer = [record for record in self._recent if record.tick.tick_ms > told.tick.tick_ms]
            if len(newer) == _RECENT_TICKS:
                return False
            for record in newer:
                told.apply(record)
            self._view = told
        self.book = book
        return True


class Follower:
    """Another process's recorder, read from the store it writes."""

    def __init__(self, cursor: Cursor, thread: Executor, clock: Clock) -> None:
        self._cursor = cursor
        self._thread = thread
        self._clock = clock
        self._listeners: list[Callable[[Snapshot], None]] = []

    def listen(self, listener: Callable[[Snapshot], None]) -> None:
        self._listeners.append(listener)

    async def run(self) -> None:
        """Look for new ticks until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            current = await loop.run_in_executor(self._thread, self._latest)
            if current is not None:
                for listener in self._listeners:
                    listener(current)
            await self._clock.sleep(_POLL_S)

    def _latest(self) -> Snapshot | None:
        span = self._cursor.span_ms()
        if span is None or not self._cursor.seek(span[1]):
            return None
        return self._cursor.snapshot("live", "")
