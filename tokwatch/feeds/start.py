"""Starting a recorder: store, lock, run, prices and what earlier runs left, put together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tokwatch import __version__
from tokwatch.config import Config
from tokwatch.feeds.history import History, lineage, read_book
from tokwatch.ledger.bookkeeper import Bookkeeper
from tokwatch.ledger.entries import Event, Run
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.view import View
from tokwatch.store.reader import Reader
from tokwatch.store.rows import PriceVersion as StoredPrice
from tokwatch.store.sessions import LONGEST_GAP_MS
from tokwatch.store.writer import Writer


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


def begin(
    store: Path,
    box: Box,
    config: Config,
    *,
    kind: str = "recorded",
    price: float | None = None,
    started_ms: int | None = None,
    on_commit: Callable[[int], None] | None = None,
) -> Begun:
    """Open the store for writing and begin a run. Blocks; raises StoreError.

    price: what `--price` said. started_ms: the wall clock where it is not this machine's.
    """
    now_ms = time.time_ns() // 1_000_000 if started_ms is None else started_ms
    writer = Writer(store, on_commit=on_commit)
    opened = writer.open()
    run = writer.begin_run(Run(0, kind, box.host, box.boot_id, __version__, box.timezone, now_ms))
    with Reader(store) as reader:
        book = read_book(reader)
        past = lineage(reader.runs(), run)
        ids = [each.id for each in past]
        first_ms, last_ms = reader.tick_after(ids, -1), reader.last_tick(ids)
        in_force: list[Event] = [] if last_ms is None else reader.last_events(last_ms, runs=ids)
    # A clock that was stepped back is behind what is stored: a price must not reach into ticks that were shown already.
    from_now_ms = now_ms if opened.last_tick_ms is None else max(now_ms, opened.last_tick_ms + 1)
    for source, prices, from_ms in _wanted(config, price, book, from_now_ms):
        book = book.with_version(_add(writer, source, prices, from_ms, now_ms))
    bookkeeper = Bookkeeper(
        run,
        settings=config.settings(),
        thresholds=config.states,
        known=opened.entities,
        in_force=in_force,
        absolutes=opened.absolutes,
        last_tick_ms=opened.last_tick_ms,
        goes_on=last_ms is not None and now_ms - last_ms <= LONGEST_GAP_MS,
    )
    return Begun(run, writer, bookkeeper, _view(store, run, book, last_ms), first_ms)


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A run that is kept nowhere."""

    bookkeeper: Bookkeeper
    view: View


def unrecorded(box: Box, config: Config, *, price: float | None = None) -> Unrecorded:
    """A run without a store, for one answer."""
    now_ms = time.time_ns() // 1_000_000
    run = Run(1, "recorded", box.host, box.boot_id, __version__, box.timezone, now_ms)
    wanted = _wanted(config, price, PriceBook(), now_ms)
    versions = (
        PriceVersion(number, from_ms, now_ms, source, prices)
        for number, (source, prices, from_ms) in enumerate(wanted, 1)
    )
    bookkeeper = Bookkeeper(run, settings=config.settings(), thresholds=config.states)
    return Unrecorded(bookkeeper, View(run, PriceBook(tuple(versions))))


def _wanted(config: Config, price: float | None, book: PriceBook, now_ms: int) -> list[tuple[str, Prices, int]]:
    """Versions to add: the config's when its content is not its latest in the book, and the command line's."""
    wanted = []
    prices = config.prices.prices()
    if prices is not None:
        from_ms = config.prices.effective_from_ms()
        last = next((v for v in sorted(book.versions, key=lambda v: -v.id) if v.source == "config"), None)
        if last is None or last.prices != prices or (from_ms is not None and last.effective_from_ms != from_ms):
            wanted.append(("config", prices, now_ms if from_ms is None else from_ms))
    if price is not None:
        in_force = book.at(now_ms)
        currency = prices.currency if prices else "USD"
        said = Prices(currency, price)
        if wanted or in_force is None or in_force.prices != said:
            wanted.append(("command line", said, now_ms))
    return wanted


def stored_price(version: PriceVersion) -> StoredPrice:
    """As the store keeps it."""
    book = msgspec.json.encode(version.prices)
    return StoredPrice(version.id, version.effective_from_ms, version.recorded_ms, version.source, book)


def _add(writer: Writer, source: str, prices: Prices, from_ms: int, now_ms: int) -> PriceVersion:
    version = PriceVersion(0, from_ms, now_ms, source, prices)
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
