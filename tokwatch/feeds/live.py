"""Now: Snapshots of the recorder in this process, or of another one's store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from msgspec.structs import replace

from tokwatch.feeds.cursor import Cursor
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.view import View

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

    def __init__(self, cursor: Cursor, thread: Executor) -> None:
        self._cursor = cursor
        self._thread = thread
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._problem = ""
        self.latest: Snapshot | None = None

    def listen(self, listener: Callable[[Snapshot], None]) -> None:
        self._listeners.append(listener)

    async def look(self) -> bool:
        """Show the newest tick; False where there is none since the last look."""
        current = await asyncio.get_running_loop().run_in_executor(self._thread, self._newest)
        if current is None:
            return False
        self.latest = current
        self._publish()
        return True

    def tell(self, problem: str) -> None:
        """Words of the viewer's own that stand among the problems of what it shows; empty when over."""
        if problem != self._problem:
            self._problem = problem
            self._publish()

    def hand_over_to(self, now: Now) -> None:
        """From here on another one tells its listeners what is."""
        for listener in self._listeners:
            now.listen(listener)
        self._listeners.clear()

    def _publish(self) -> None:
        if self.latest is None:
            return
        problems = (*self.latest.problems, *filter(None, [self._problem]))
        current = replace(self.latest, problems=problems)
        for listener in self._listeners:
            listener(current)

    def _newest(self) -> Snapshot | None:
        span = self._cursor.span_ms()
        if span is None or not self._cursor.seek(span[1]):
            return None
        return self._cursor.snapshot("live", "")
