"""`tokwatch prices`: show the price book and explain it, restate what was wrong, close a month, take up the config."""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import time
from importlib.resources import files
from pathlib import Path

from msgspec.structs import replace

from collectors.labels import clean_label
from tokwatch.commands.price_report import as_json, as_text, report
from tokwatch.commands.settings import config_of, store_of
from tokwatch.config import PriceSection
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.hours import parse_instant
from tokwatch.feeds.history import read_book, stored_price
from tokwatch.feeds.price_import import config_version, utc, words
from tokwatch.ledger.prices.book import ClosedMonth, PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.store import rows
from tokwatch.store.reader import Reader
from tokwatch.store.telling import telling

RESTATED = "restated"
_LONGEST_REASON = 1000
_EXAMPLES = files("tokwatch") / "assets" / "prices"


def run(options: argparse.Namespace) -> int:
    """What `options.part` names; without one the price book is shown."""
    parts = {"show": _show, "restate": _restate, "close": _close, "import": _import, "example": _example}
    return parts[options.part](options)


def _show(options: argparse.Namespace) -> int:
    section = config_of(options).prices
    with Reader(store_of(options)) as reader:
        shown = report(reader, section, _now_ms())
    print(json.dumps(as_json(shown), indent=1) if options.json else as_text(shown))
    return Exit.DONE


def _restate(options: argparse.Namespace) -> int:
    """A version for each stretch of the range that one version held: with --price the rest of it stays as it was."""
    now_ms, store = _now_ms(), store_of(options)
    from_ms, to_ms = parse_instant(options.from_), parse_instant(options.to)
    reason = clean_label(options.reason.strip(), _LONGEST_REASON)
    if from_ms >= to_ms:
        raise CommandError(f"--from {utc(from_ms)} must lie before --to {utc(to_ms)}")
    if to_ms > now_ms:
        raise CommandError(
            f"--to {utc(to_ms)} is still to come: only the past is restated; "
            "what is to come is told by [prices] in the config, with effective_from"
        )
    if not reason:
        raise CommandError("--reason: say what was wrong, it is kept beside the new prices")
    book = _book(store)
    if (closed := book.closed_month(from_ms, to_ms)) is not None:
        start_ms, end_ms = closed.span_ms
        raise CommandError(
            f"{closed.month} was closed on {utc(closed.closed_ms)} and its prices are final: "
            f"restate up to {utc(start_ms)}, or from {utc(end_ms)} on"
        )
    section = config_of(options).prices
    if options.price is None:
        restated = [(from_ms, to_ms, _told(section))]
    else:
        restated = [
            (start_ms, end_ms, (version.prices if version else Prices(section.currency)).rented_at(options.price))
            for start_ms, end_ms, version in book.segments(from_ms, to_ms)
        ]
    wanted = [
        PriceVersion(0, start_ms, now_ms, RESTATED, prices, end_ms, reason) for start_ms, end_ms, prices in restated
    ]
    with telling(store) as connection:
        kept = [rows.insert_price(connection, stored_price(version)) for version in wanted]
    for version in kept:
        print(
            f"version {version.id} of the price book holds from {utc(version.effective_from_ms)} to "
            f"{utc(version.effective_to_ms or to_ms)}: {reason}"
        )
    return Exit.DONE


def _told(section: PriceSection) -> Prices:
    prices = section.prices()
    if prices is None:
        raise CommandError("the config names no prices: see `tokwatch prices example`")
    return prices


def _close(options: argparse.Namespace) -> int:
    month, now_ms, store = options.month, _now_ms(), store_of(options)
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month):
        raise CommandError(f"{month!r} is no month: write 2026-10")
    end_ms = ClosedMonth(month, 0, now_ms).span_ms[1]
    if end_ms > now_ms:
        raise CommandError(f"{month} is not over: it can be closed from {utc(end_ms)} on")
    closed = next((each for each in _book(store).closed if each.month == month), None)
    if closed is not None:
        raise CommandError(f"{month} is closed already, since {utc(closed.closed_ms)}")
    try:
        with telling(store) as connection:
            rows.insert_close(connection, month, now_ms)
    except sqlite3.IntegrityError:
        raise CommandError(f"{month} was closed just now by another process") from None
    print(f"{month} is closed: prices that are recorded from now on do not touch it")
    return Exit.DONE


def _import(options: argparse.Namespace) -> int:
    """What a start of the recorder does, for one that runs: it takes the prices up within seconds."""
    section, store, now_ms = config_of(options).prices, store_of(options), _now_ms()
    _told(section)
    with Reader(store) as reader:
        book, last_tick_ms = read_book(reader), reader.last_tick()
    # Not into ticks that were shown already, as when a recorder begins.
    version = config_version(section, book, max(now_ms, (last_tick_ms or 0) + 1), now_ms)
    if version is None:
        print("the prices of the config are in the price book already")
        return Exit.DONE
    with telling(store) as connection:
        added = replace(version, id=rows.insert_price(connection, stored_price(version)).id)
    for line in words(added, book.with_version(added), now_ms):
        print(line)
    return Exit.DONE


def _example(options: argparse.Namespace) -> int:
    examples = {Path(each.name).stem: each for each in _EXAMPLES.iterdir() if each.name.endswith(".toml")}
    if options.name is None:
        for name in sorted(examples):
            title = examples[name].read_text(encoding="utf-8").splitlines()[0].lstrip("# ")
            print(f"{name:<10} {title}")
        return Exit.DONE
    if options.name not in examples:
        raise CommandError(f"there is no example {options.name!r}: there are {', '.join(sorted(examples))}")
    print(examples[options.name].read_text(encoding="utf-8"), end="")
    return Exit.DONE


def _book(store: Path) -> PriceBook:
    with Reader(store) as reader:
        return read_book(reader)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
