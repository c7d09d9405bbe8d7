"""Where a figure of one moment comes from, as the stored past tells it: shapes, and the counters' arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry
from tokwatch.ledger.explain.quantity import Quantity
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import FigurePath

Counting = FlowEntry | GpuEntry  # what adds to a counter
_PART = "@"  # between a counter's name and the rank it is of, as in ledger/counters


class Source(msgspec.Struct, frozen=True):
    """A series that was read, and where it is a counter, its value at both ends of the window."""

    series: tuple[str, ...]  # names on the page, calls of the driver
    of: str  # "127.0.0.1:8000", "GPU 3"
    what: str  # "output tokens"
    unit: str = ""
    before: int | None = None  # as it stood when the window began
    after: int | None = None
    added: int | None = None  # what the window's entries add up to; None: a gauge
    note: str = ""  # why before or after is not known, or what else is to be known of them


class Span(msgspec.Struct, frozen=True):
    """The time that a figure is of."""

    from_ms: int
    to_ms: int
    ticks: int | None = None  # None: not counted, it is long
    restarted: tuple[str, ...] = ()  # whose counters began anew inside
    unwatched: bool = False  # nobody watched for a part of it
    newest_ms: int | None = None  # when its newest reading was made


class PricedBy(msgspec.Struct, frozen=True):
    """The version of the price book in force."""

    version: int
    source: str  # "config" | "set by you" | …
    since_ms: int
    words: str
    reason: str = ""
    supposed: bool = False


class Provenance(msgspec.Struct, frozen=True):
    """Everything that is told of one figure at one tick."""

    path: FigurePath
    tick_ms: int
    figure: Figure | Interval | None
    numbers: Quantity | None = None
    counted: tuple[str, ...] = ()  # of what is between bounds: counts in words
    sources: tuple[Source, ...] = ()
    more_sources: int = 0  # that are left out
    span: Span | None = None
    price: PricedBy | None = None
    why: str = ""  # why nothing is told


def stood(base: Mapping[str, int], base_ms: int, increments: Iterable[tuple[int, int]], name: str, at_ms: int) -> int:
    """A counter at a tick: what stood at base_ms, and (tick_ms, increment) of the ticks in (base_ms, at_ms]."""
    whole = sum(value for key, value in base.items() if key == name or key.startswith(name + _PART))
    return whole + sum(added for tick_ms, added in increments if base_ms < tick_ms <= at_ms)


def increment(entry: Counting, name: str) -> int:
    """What one entry adds to a counter."""
    return getattr(entry, name, None) or 0


def is_reset(entry: Counting) -> bool:
    """A counter began anew inside, so that its increment is a lower bound."""
    return bool(entry.flags & Flag.RESET)
