"""What the config and the command line add to the price book when recording begins, and how that is told."""

from __future__ import annotations

from datetime import UTC, datetime

from tokwatch.config import PriceSection
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices

CONFIG = "config"
COMMAND_LINE = "command line"

_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000


def config_version(section: PriceSection, book: PriceBook, from_now_ms: int, now_ms: int) -> PriceVersion | None:
    """The version to add for the config: None when it names no price, or the latest one from a config is the same.

    It has the id that a book alone would give it; from_now_ms is when a price without effective_from begins.
    """
    prices, from_ms = section.prices(), section.effective_from_ms()
    if prices is None:
        return None
    last = max((v for v in book.versions if v.source == CONFIG), key=lambda v: v.id, default=None)
    if last is not None and last.prices == prices and from_ms in (None, last.effective_from_ms):
        return None
    return PriceVersion(_next_id(book), from_now_ms if from_ms is None else from_ms, now_ms, CONFIG, prices)


def said_version(price: float, currency: str, book: PriceBook, from_now_ms: int, now_ms: int) -> PriceVersion | None:
    """The version to add for `--price`: what is in force with that rent for every GPU; None when it is that already."""
    in_force = book.at(from_now_ms)
    said = (in_force.prices if in_force else Prices(currency)).rented_at(price)
    if in_force is not None and in_force.prices == said:
        return None
    return PriceVersion(_next_id(book), from_now_ms, now_ms, COMMAND_LINE, said)


def _next_id(book: PriceBook) -> int:
    return max((version.id for version in book.versions), default=0) + 1


def words(version: PriceVersion, book: PriceBook, now_ms: int) -> list[str]:
    """Sentences on a version that was added: from when on it holds, and what it does not reach. `book` holds it."""
    from_ms = version.effective_from_ms
    what = f"the prices of the config are version {version.id} of the price book, in force from {utc(from_ms)}"
    before = book.at(from_ms - 1)
    if from_ms > now_ms:
        until_then = f"version {before.id} holds" if before else "nothing has a price"
        return [f"{what}, which is in {_length(from_ms - now_ms)}; until then {until_then}"]
    age_ms = now_ms - from_ms
    told = [f"{what} on" if age_ms < _MINUTE_MS else f"{what}: the {_length(age_ms)} since are priced anew"]
    if (now := book.at(now_ms)) is not None and now.id != version.id:
        told.append(f"version {now.id} ({now.source}) began later, {utc(now.effective_from_ms)}, and holds now")
    closed = [month.month for month in book.closed if month.span_ms[1] > from_ms]
    if closed:
        told.append(f"closed months keep the prices they had: {', '.join(closed)}")
    return told


def utc(at_ms: int) -> str:
    """2026-11-21T14:00:00Z"""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _length(length_ms: int) -> str:
    for unit_ms, name in ((_DAY_MS, "days"), (_HOUR_MS, "hours")):
        if length_ms >= 2 * unit_ms:
            return f"{length_ms // unit_ms} {name}"
    return f"{max(1, length_ms // _MINUTE_MS)} minutes"
