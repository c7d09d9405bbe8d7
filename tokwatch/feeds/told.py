"""What other processes tell the store while this one records: prices, closed months and mutes, looked for now and then.

`tokwatch prices` and `tokwatch mute` write tables of their own; a recorder sees what is in them a few seconds later.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tokwatch.feeds.clock import Clock
from tokwatch.feeds.history import History, read_book
from tokwatch.feeds.live import RecorderView
from tokwatch.ledger.bookkeeper import Bookkeeper
from tokwatch.ledger.entries import Run, TickRecord
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.view import View
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader
from tokwatch.store.rows import Told

LOOK_NS = 5_000_000_000

T = TypeVar("T")


@dataclass(slots=True)
class _Subject:
    mark: Callable[[Told], tuple[int, ...]]
    read: Callable[[Reader], Any]
    take: Callable[[Any], bool]
    taken: tuple[int, ...] | None = None


class ToldStore:
    """Looks into the store every few seconds, at a tick: what comes between two ticks matters at the next one."""

    def __init__(self, store: Path, clock: Clock, tell: Callable[[str, str], None]) -> None:
        """tell(what, words): where trouble goes; empty words when it is over."""
        self._store = store
        self._clock = clock
        self._tell = tell
        self._subjects: list[_Subject] = []
        self._due_ns = 0
        self._looking: asyncio.Task[None] | None = None
        self._troubled = False

    def on_prices(self, read: Callable[[Reader], T], take: Callable[[T], bool]) -> None:
        """When a version was added or a month closed, and at the first look.

        read: in a thread of its own. take: in the event loop; False asks for the same again at the next look.
        """
        self._subjects.append(_Subject(lambda told: (told.prices, told.closes), read, take))

    def on_mutes(self, read: Callable[[Reader], T], take: Callable[[T], bool]) -> None:
        """The same when a mute was added."""
        self._subjects.append(_Subject(lambda told: (told.mutes,), read, take))

    def tick(self, _: TickRecord) -> None:
        """Look, if it is time; `Recorder.listen` calls it."""
        now_ns = self._clock.now().boottime_ns
        if now_ns < self._due_ns or (self._looking is not None and not self._looking.done()):
            return
        self._due_ns = now_ns + LOOK_NS
        self._looking = asyncio.create_task(self._look(), name="told store")
        self._looking.add_done_callback(self._looked)

    async def close(self) -> None:
        """Wait for a look that is under way."""
        if self._looking is not None:
            await asyncio.wait({self._looking})

    async def _look(self) -> None:
        for subject, mark, value in await asyncio.to_thread(self._news):
            if subject.take(value):
                subject.taken = mark

    def _news(self) -> list[tuple[_Subject, tuple[int, ...], Any]]:
        with Reader(self._store) as reader:
            told = reader.told()
            new = [(subject, subject.mark(told)) for subject in self._subjects]
            return [(subject, mark, subject.read(reader)) for subject, mark in new if mark != subject.taken]

    def _looked(self, look: asyncio.Task[None]) -> None:
        # A look that fails must not end the recording: whatever it was is told, and the next look tries again.
        error = None if look.cancelled() else look.exception()
        if error is not None:
            expected = isinstance(error, StoreError | sqlite3.Error | msgspec.DecodeError)
            why = str(error) if expected else repr(error)
            self._tell("told", f"prices and mutes of other processes are not taken up: {why}")
        elif self._troubled:
            self._tell("told", "")
        self._troubled = error is not None


def keep_priced(told: ToldStore, bookkeeper: Bookkeeper, store: Path, run: Run, view: RecorderView | None) -> None:
    """Let a recorder, and its View if there is one, follow the price book.

    What a View summed by version is asked of the store anew, since the past may fall under other versions now.
    """

    def read(reader: Reader) -> View | PriceBook | None:
        book = read_book(reader)
        if (book.versions, book.closed) == (bookkeeper.book.versions, bookkeeper.book.closed):
            return None
        return book if view is None else _view_under(book, store, run)

    def take(found: View | PriceBook | None) -> bool:
        if found is None:
            return True
        if view is not None and not view.take_prices(found):
            return False
        bookkeeper.book = found.book if isinstance(found, View) else found
        return True

    told.on_prices(read, take)


def _view_under(book: PriceBook, store: Path, run: Run) -> View | PriceBook:
    """The View of the last stored tick; without one the book alone."""
    history = History(store, run)
    try:
        last_ms = history.last_tick()
        return book if last_ms is None else history.view_at(last_ms, run)
    finally:
        history.close()
