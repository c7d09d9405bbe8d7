"""`tokwatch replay` of many hosts: the past of a Prometheus, or a fleet that was recorded into a store."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Final

from tokwatch.commands.fleet import show
from tokwatch.commands.fleet_once import fleet_table
from tokwatch.commands.fleet_source import book_of, source_of
from tokwatch.commands.import_prometheus import moment_ms
from tokwatch.commands.settings import can_draw, config_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.fleet import FleetSource
from tokwatch.feeds.fleet.stored import StoredSource
from tokwatch.feeds.history import read_book
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import canonical_json
from tokwatch.ledger.fleet.tally import FleetTally
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.store.reader import Reader

_HOUR_MS: Final = 3_600_000


def through_prometheus(options: argparse.Namespace) -> int:
    """From --at, else --from, else an hour ago, at today's prices of the config."""
    now_ms = time.time_ns() // 1_000_000
    option, text = ("--at", options.at) if options.at is not None else ("--from", options.from_time)
    start_ms = now_ms - _HOUR_MS if text is None else moment_ms(option, text, now_ms)
    config = config_of(options)
    return _replay(source_of(options, config), book_of(options, config), options, start_ms)


def recorded(store: Path, options: argparse.Namespace) -> int:
    """From --at, else from its beginning, at the prices that the store holds."""
    source = StoredSource(store)
    span = asyncio.run(source.span_ms())
    if span is None:
        raise CommandError(f"{store} holds no fleet")
    start_ms = span[0] if options.at is None else moment_ms("--at", options.at, span[1])
    with Reader(store) as reader:
        book = read_book(reader)
    return _replay(source, book if book.versions else book_of(options, config_of(options)), options, start_ms)


def _replay(source: FleetSource, book: PriceBook, options: argparse.Namespace, start_ms: int) -> int:
    if options.compare:
        raise CommandError("--compare is of one host's windows: name it with --host")
    if not options.json and can_draw():
        return show(source, book, options, config_of(options), start_ms=start_ms, speed=options.speed)
    current = fleet_snapshot(asyncio.run(_moment(source, start_ms)), book, mode="replay")
    print(canonical_json(current).decode() if options.json else fleet_table(current), end="\n" if options.json else "")
    return Exit.DONE if current.hosts else Exit.NOTHING_FOUND


async def _moment(source: FleetSource, at_ms: int) -> FleetTally:
    try:
        return await source.at(at_ms)
    finally:
        await source.close()
