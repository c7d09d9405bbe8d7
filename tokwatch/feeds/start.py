"""Starting a recorder: store, lock, run, prices and what earlier runs left, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tokwatch import __version__
from tokwatch.config import Config
from tokwatch.feeds.history import History, lineage, read_book, stored_price
from tokwatch.feeds.price_import import config_version, said_version, words
from tokwatch.feeds.references import settings_of
from tokwatch.ledger.bookkeeper import Bookkeeper
from tokwatch.ledger.entries import Event, Run
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.view import View
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import LONGEST_GAP_MS
from tokwatch.store.writer import Writer

_GIVE_UP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Box:
    """Which host records."""

    host: str
    boot_id: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Begun:
    """An open store with a run begun in it."""

    run: Run
    writer: Writer
    bookkeeper: Bookkeeper
    view: View  # at the last stored tick of this lineage, empty in a new store
    first_tick_ms: int | None  # of this lineage; None in a new store
    news: tuple[str, ...] = ()  # on prices of the config that were taken up now: to be printed


def begin(
    store: Path,
    box: Box,
    config: Config,
    *,
    kind: str = "recorded",
    price: float | None = None,
    started_ms: int | None = None,
    on_commit: Callable[[int], None] | None = None,
    looked_at: bool = True,
) -> Begun:
    """Open the store for writing and begin a run. Blocks; raises StoreError, ReferencesError.

    price: what `--price` said. started_ms: the wall clock where it is not this machine's. looked_at: False leaves the
    View empty, which saves the megabytes of a day's strips where nobody will look.
    """
    now_ms = time.time_ns() // 1_000_000 if started_ms is None else started_ms
    settings = settings_of(config)
    writer = Writer(store, on_commit=on_commit, retention=config.retention.retention())
    with ExitStack() as undo:
        undo.callback(writer.close, _GIVE_UP_S)
        opened = writer.open()
        run = writer.begin_run(Run(0, kind, box.host, box.boot_id, __version__, box.timezone, now_ms))
        with Reader(store) as reader:
            book, mutes = read_book(reader), tuple(reader.mutes())
            past = lineage(reader.runs(), run)
            ids = [each.id for each in past]
            first_ms, last_ms = reader.tick_after(ids, -1), reader.last_tick(ids)
            in_force: list[Event] = [] if last_ms is None else reader.last_events(last_ms, runs=ids)
        # A clock that was stepped back is behind what is stored: a price must not reach into ticks that were shown.
        from_now_ms = now_ms if opened.last_tick_ms is None else max(now_ms, opened.last_tick_ms + 1)
        news: list[str] = []
        if (version := config_version(config.prices, book, from_now_ms, now_ms)) is not None:
            book = book.with_version(added := _add(writer, version))
            news = words(added, book, now_ms)
        if price is not None and (said := said_version(price, config.prices.currency, book, from_now_ms, now_ms)):
            book = book.with_version(_add(writer, said))
        bookkeeper = Bookkeeper(
            run,
            settings=settings,
            thresholds=config.states,
            known=opened.entities,
            in_force=in_force,
            absolutes=opened.absolutes,
            last_tick_ms=opened.last_tick_ms,
            goes_on=last_ms is not None and now_ms - last_ms <= LONGEST_GAP_MS,
            policy=config.alert_policy(),
        )
        bookkeeper.book, bookkeeper.mutes = book, mutes
        view = _view(store, run, book, last_ms) if looked_at else View(run, book)
        undo.pop_all()
        return Begun(run, writer, bookkeeper, view, first_ms, tuple(news))


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A run that is kept nowhere."""

    bookkeeper: Bookkeeper
    view: View


def unrecorded(box: Box, config: Config, *, price: float | None = None) -> Unrecorded:
    """A run without a store, for one answer."""
    now_ms = time.time_ns() // 1_000_000
    run = Run(1, "recorded", box.host, box.boot_id, __version__, box.timezone, now_ms)
    book = PriceBook()
    if (version := config_version(config.prices, book, now_ms, now_ms)) is not None:
        book = book.with_version(version)
    if price is not None and (said := said_version(price, config.prices.currency, book, now_ms, now_ms)):
        book = book.with_version(said)
    bookkeeper = Bookkeeper(run, settings=settings_of(config), thresholds=config.states)
    bookkeeper.book = book
    return Unrecorded(bookkeeper, View(run, book))


def _add(writer: Writer, version: PriceVersion) -> PriceVersion:
    return replace(version, id=writer.add_price(stored_price(version)).id)


def _view(store: Path, run: Run, book: PriceBook, last_ms: int | None) -> View:
    """The View to go on from: the lineage's last one, taken over by the new run."""
    if last_ms is None:
        return View(run, book)
    history = History(store, run)
    try:
        return history.view_at(last_ms, run)
    finally:
        history.close()
