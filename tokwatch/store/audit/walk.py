"""One pass over every tick, oldest first, for all checks that need entries; what cannot be read is stepped over."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from tokwatch.store.audit.balance import Balance, kept_absolutes
from tokwatch.store.audit.finding import Faults, Finding, utc
from tokwatch.store.audit.order import Order
from tokwatch.store.audit.subject import Subject
from tokwatch.store.audit.sums import Compared, Sums, check_old_quarters
from tokwatch.store.errors import StoreError
from tokwatch.store.rollup import QUARTER_MS, quarter_of
from tokwatch.store.sealed import WINDOW_MS

_BEFORE_ALL_MS = -(1 << 62)


def check_entries(subject: Subject, progress: Callable[[float], None]) -> Iterator[Finding]:
    """progress: is told the share of the time axis that is done."""
    connection, codec = subject.connection, subject.codec
    balanced = Faults("counters.balance")
    order = Order(subject.imported, subject.name)
    balance = Balance(kept_absolutes(connection, balanced), balanced, subject.imported, subject.name)
    whole_from_ms = _whole_from_ms(subject)
    minutes = Compared(connection, codec, "minute", whole_from_ms, subject.name)
    quarters = Compared(connection, codec, "quarter", whole_from_ms, subject.name)
    sums = Sums(minutes, quarters)
    readable = Faults("entries.readable")
    # Of what leads up to the range that a file was cut for only states are told.
    from_ms = -1 if subject.cut is None else subject.cut.whole_from_ms - 1
    first_ms, last_ms = subject.ticks.after(None, from_ms), subject.ticks.last(None, None)
    if first_ms is not None and last_ms is not None:
        after_ms = first_ms - 1
        while after_ms < last_ms:
            try:
                records = subject.ticks.records(None, after_ms, last_ms)
            except (StoreError, sqlite3.Error, ValueError) as error:  # ValueError: text that is no UTF-8
                lost_ms, after_ms = after_ms + 1, ((after_ms + 1) // WINDOW_MS + 1) * WINDOW_MS - 1
                readable.add(f"{utc(lost_ms)} to {utc(after_ms)}: {error}")
                order.skip()
                balance.skip()
                sums.skip(after_ms)
                continue
            if not records:
                break
            for record in records:
                balance.take(record, missing=order.take(record))
                sums.take(record)
            after_ms = max(after_ms + 1, records[-1].tick.tick_ms)
            progress((after_ms - first_ms) / max(1, last_ms - first_ms))
    yield readable.finding("every entry can be read")
    yield from order.findings()
    yield from balance.findings()
    yield from sums.findings()
    yield check_old_quarters(connection, codec, quarters, subject.name)


def _whole_from_ms(subject: Subject) -> dict[int, int]:
    """The first start of a quarter hour from which on all entries of each run are there. Of a cut file none are known
    to be: entries of later ticks reached back.

    Events are kept for ever, and a run begins with some: one before its first tick says that ticks were let go.
    """
    if subject.cut is not None:
        return {}
    begun_ms = dict(subject.connection.execute("SELECT run, min(tick_ms) FROM event GROUP BY run").fetchall())
    found: dict[int, int] = {}
    for run in subject.runs:
        first_ms = subject.ticks.after([run], -1)
        if first_ms is not None:
            has_begin = begun_ms.get(run, _BEFORE_ALL_MS) >= first_ms
            found[run] = _BEFORE_ALL_MS if has_begin else quarter_of(first_ms) + QUARTER_MS
    return found
