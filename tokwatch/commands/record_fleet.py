"""`tokwatch record --targets LIST`: many hosts read directly and kept, without a screen."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from collectors.target_lists import Target
from tokwatch import __version__
from tokwatch.commands.fleet_process import read_many_hosts
from tokwatch.commands.fleet_targets import direct_source, listed
from tokwatch.commands.recorder_lock import taken
from tokwatch.commands.settings import config_of, keep_what_is_loaded, store_choice, this_box
from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.direct_recording import DirectRecording
from tokwatch.feeds.history import read_book, stored_price
from tokwatch.feeds.price_import import config_version, said_version, words
from tokwatch.ledger.entries import Run
from tokwatch.store.fleet.writer import FleetWriter
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

FLUSH_S: Final = 30.0
_TELL_EVERY_S: Final = 60.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: argparse.Namespace) -> int:
    """Record until the time is over or a signal comes; what was committed stays whatever happens."""
    config, choice = config_of(options), store_choice(options)
    store = choice.path
    lock = taken(
        store,
        exclusive_host=False,
        wait=options.wait,
        what="this fleet is recorded",
        else_do="name another store with --store",
        say=_say,
    )
    targets = listed(options.targets, config)
    _take_up_prices(store, config, options.price)
    writer = FleetWriter(store, config.retention.retention())
    box = this_box(config)
    now_ms = time.time_ns() // 1_000_000
    writer.begin(Run(0, "recorded", box.host, box.boot_id, __version__, box.timezone, now_ms))
    read_many_hosts()
    try:
        asyncio.run(_record(targets, config, writer, store, options.for_s))
    finally:
        is_whole = writer.close(FLUSH_S)
        lock.release()
    if not is_whole:
        raise CommandError(f"the last sums did not reach {store}: {writer.problem or 'the disk does not answer'}")
    return Exit.DONE


async def _record(
    targets: tuple[Target, ...], config: Config, writer: FleetWriter, store: Path, for_s: float | None
) -> None:
    source = direct_source(targets, config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    if for_s is not None:
        loop.call_later(for_s, stop.set)
    hosts = len({target.host for target in targets})
    _say(f"recording {hosts} host{'' if hosts == 1 else 's'} into {store}; ctrl-c or SIGTERM ends it")
    keep_what_is_loaded()
    telling = asyncio.create_task(_tell(source, writer))
    try:
        await DirectRecording(source, writer).run(stop)
    finally:
        telling.cancel()
        await source.close()


async def _tell(source: DirectSource, writer: FleetWriter) -> None:
    """How it goes, once a minute: what fails, and whenever that changes."""
    told = ""
    while True:
        await asyncio.sleep(_TELL_EVERY_S)
        lines = [f"{note.name}: {note.found}" for note in source.notes()]
        if writer.problem is not None:
            lines.append(writer.problem)
        if "\n".join(lines) != told:
            told = "\n".join(lines)
            for line in lines:
                _say(line)


def _take_up_prices(store: Path, config: Config, price: float | None) -> None:
    """The config's prices and what `--price` said, as versions in the store: hours are priced by what is in there."""
    now_ms = time.time_ns() // 1_000_000
    writer = Writer(store)
    writer.open()
    try:
        with Reader(store) as reader:
            book = read_book(reader)
        if (version := config_version(config.prices, book, now_ms, now_ms)) is not None:
            version = replace(version, id=writer.add_price(stored_price(version)).id)
            book = book.with_version(version)
            for line in words(version, book, now_ms):
                _say(line)
        if price is not None and (said := said_version(price, config.prices.currency, book, now_ms, now_ms)):
            writer.add_price(stored_price(said))
    finally:
        writer.close(FLUSH_S)


def _say(line: str) -> None:
    print(f"tokwatch: {line}", file=sys.stderr, flush=True)
