"""What `tokwatch replay --prometheus URL --host H` looks at: a stretch of the host's past, imported into the cache."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path
from typing import Final

from tokwatch.commands.import_prometheus import Import, import_hosts, moment_ms
from tokwatch.commands.prometheus_host import url_of
from tokwatch.commands.settings import config_of
from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.feeds.history import read_book, stored_price
from tokwatch.feeds.price_import import config_version, said_version
from tokwatch.feeds.prometheus_host.cache import cache_store
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
_FLUSH_S: Final = 10.0


def cached_store(options: argparse.Namespace) -> Path:
    """A store with the asked stretch and the prices of now. It is asked of the server once.

    Raises CommandError for a stretch that is none, and where the server does not answer.
    """
    config, url = config_of(options), url_of(options)
    since_ms, until_ms = _stretch(options, time.time_ns() // 1_000_000)
    asked_url = config.prometheus.target(url).url
    stretch = f"{asked_url}\n{since_ms}\n{until_ms}"
    store = cache_store(stretch, options.host, selector=config.prometheus.selector)
    if not _is_there(store):
        asyncio.run(import_hosts(Import(url, config, store, since_ms, until_ms), [options.host]))
    _price(store, config, getattr(options, "price", None), since_ms)
    return store


def _stretch(options: argparse.Namespace, now_ms: int) -> tuple[int, int]:
    """From --from to --to, else around --at, else the last hour. Whole hours and minutes: so it is asked for once."""
    this_minute_ms = now_ms // _MINUTE_MS * _MINUTE_MS
    if options.from_time is not None or options.to_time is not None:
        if options.from_time is None:
            raise CommandError("--to without --from: name both ends, or one moment with --at")
        since_ms = moment_ms("--from", options.from_time, now_ms)
        until_ms = this_minute_ms if options.to_time is None else moment_ms("--to", options.to_time, now_ms)
    elif options.at is not None:
        at_ms = moment_ms("--at", options.at, now_ms)
        since_ms = (at_ms - _HOUR_MS) // _HOUR_MS * _HOUR_MS
        until_ms = -(-(at_ms + _HOUR_MS) // _HOUR_MS) * _HOUR_MS
    else:
        since_ms, until_ms = this_minute_ms - _HOUR_MS, this_minute_ms
    until_ms = min(until_ms, this_minute_ms)
    if until_ms <= since_ms:
        raise CommandError("that is not over yet, or ends before it begins: nothing can be replayed")
    return since_ms, until_ms


def _is_there(store: Path) -> bool:
    if not store.exists():
        return False
    with Reader(store) as reader:
        return bool(reader.runs())


def _price(store: Path, config: Config, said_usd: float | None, since_ms: int) -> None:
    """The prices of the config and of the command line hold from the stretch's beginning."""
    now_ms = time.time_ns() // 1_000_000
    with Reader(store) as reader:
        book = read_book(reader)
    new = []
    if (version := config_version(config.prices, book, since_ms, now_ms)) is not None:
        book = book.with_version(version)
        new.append(version)
    if said_usd is not None:
        version = said_version(said_usd, config.prices.currency, book, since_ms, now_ms)
        new += [version] if version is not None else []
    if not new:
        return
    writer = Writer(store)
    writer.open()
    try:
        for version in new:
            writer.add_price(stored_price(version))
    finally:
        writer.close(_FLUSH_S)
