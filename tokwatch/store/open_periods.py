"""Minutes and quarter hours read: stored rows, and of those still open what they add up to so far.

An open minute is summed up from the entries of its own ticks. An open quarter hour is the sum of its minutes, and of
the entries too long for minutes. Call inside a transaction: a roll-up in between counts a period twice or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.period_sums import added, sums_of, together
from tokwatch.store.quarters import MINUTE, QUARTER, Level, Quarters
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS, E, in_minutes
from tokwatch.store.rows import FLOW_ROWS, GPU_ROWS, HOST_ROWS, EntryTable

_TICKS: Final = "t.run = ? AND t.tick_ms > ? AND t.tick_ms <= ?"


def read_minutes(
    connection: sqlite3.Connection,
    codec: HistogramCodec,
    from_ms: int,
    to_ms: int,
    runs: Collection[int] | None,
    *,
    traffic: bool = True,
) -> Quarters:
    """Every minute that has a part in (from_ms, to_ms]."""
    first_ms, end_ms = MINUTE.start_of(from_ms + 1), MINUTE.start_of(to_ms) + MINUTE_MS
    return _minutes(connection, codec, _chosen(connection, runs), first_ms, end_ms, traffic=traffic)


def read_quarters(
    connection: sqlite3.Connection,
    codec: HistogramCodec,
    from_ms: int,
    to_ms: int,
    runs: Collection[int] | None,
    *,
    traffic: bool = True,
) -> Quarters:
    """Every quarter hour that has a part in (from_ms, to_ms]."""
    first_ms, end_ms = QUARTER.start_of(from_ms + 1), QUARTER.start_of(to_ms) + QUARTER_MS
    chosen = _chosen(connection, runs)
    parts = [QUARTER.select(connection, codec, chosen, first_ms, end_ms, traffic=traffic)]
    parts += (
        open_quarter(connection, codec, run, quarter_ms, traffic=traffic)
        for run, quarter_ms in due(connection, QUARTER)
        if run in chosen and first_ms <= quarter_ms < end_ms
    )
    return together(parts)


def due(connection: sqlite3.Connection, level: Level) -> list[tuple[int, int]]:
    """(run, start) of every period that no row speaks for yet, in order."""
    return sorted((run, start_ms) for start_ms, run in connection.execute(level.due))


def open_stretches(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int]]:
    """(run, first_ms, end_ms) of unbroken stretches of open minutes; mostly the one minute that is running."""
    run = first_ms = end_ms = -1
    for next_run, minute_ms in due(connection, MINUTE):
        if (next_run, minute_ms) != (run, end_ms):
            if run >= 0:
                yield run, first_ms, end_ms
            run, first_ms = next_run, minute_ms
        end_ms = minute_ms + MINUTE_MS
    if run >= 0:
        yield run, first_ms, end_ms


def open_minutes(
    connection: sqlite3.Connection,
    codec: HistogramCodec,
    run: int,
    first_ms: int,
    end_ms: int,
    *,
    traffic: bool = True,
) -> Quarters:
    """The minutes that start in [first_ms, end_ms), from the entries of the ticks in them."""

    def entries(table: EntryTable[E]) -> Iterable[E]:
        return (entry for _, entry in table.select(connection, codec, _TICKS, (run, first_ms, end_ms)))

    return sums_of(
        entries(GPU_ROWS),
        list(entries(FLOW_ROWS)) if traffic else (),
        entries(HOST_ROWS),
        run=run,
        from_ms=first_ms,
        to_ms=end_ms,
        grain_ms=MINUTE_MS,
    )


def open_quarter(
    connection: sqlite3.Connection, codec: HistogramCodec, run: int, quarter_ms: int, *, traffic: bool = True
) -> Quarters:
    """The quarter hour of the last ticks of a run: no later one has reached back into it yet."""
    end_ms = quarter_ms + QUARTER_MS

    def too_long(table: EntryTable[E]) -> list[E]:
        # What is too long for minutes began before the quarter hour did.
        reaching = f"{_TICKS} AND t.reaches_ms IS NOT NULL"
        found = table.select(connection, codec, reaching, (run, quarter_ms, end_ms))
        return [entry for _, entry in found if not in_minutes(entry)]

    minutes = _minutes(connection, codec, (run,), quarter_ms, end_ms, traffic=traffic)
    others = sums_of(
        too_long(GPU_ROWS),
        too_long(FLOW_ROWS) if traffic else (),
        too_long(HOST_ROWS),
        run=run,
        from_ms=quarter_ms,
        to_ms=end_ms,
        grain_ms=QUARTER_MS,
    )
    return added((minutes, others), QUARTER_MS)


def _minutes(
    connection: sqlite3.Connection,
    codec: HistogramCodec,
    runs: Collection[int],
    first_ms: int,
    end_ms: int,
    *,
    traffic: bool,
) -> Quarters:
    """The minutes that start in [first_ms, end_ms)."""
    parts = [MINUTE.select(connection, codec, runs, first_ms, end_ms, traffic=traffic)]
    for run, open_ms, open_end_ms in open_stretches(connection):
        if run in runs and open_ms < end_ms and open_end_ms > first_ms:
            found = open_minutes(connection, codec, run, open_ms, open_end_ms, traffic=traffic)
            parts.append(_between(found, first_ms, end_ms))
    return together(parts)


def _between(rows: Quarters, first_ms: int, end_ms: int) -> Quarters:
    return Quarters(
        [row for row in rows.gpus if first_ms <= row.quarter_ms < end_ms],
        [row for row in rows.flows if first_ms <= row.quarter_ms < end_ms],
        [row for row in rows.hosts if first_ms <= row.quarter_ms < end_ms],
        [row for row in rows.elsewhere if first_ms <= row.quarter_ms < end_ms],
    )


def _chosen(connection: sqlite3.Connection, runs: Collection[int] | None) -> Collection[int]:
    return [run for (run,) in connection.execute("SELECT id FROM run")] if runs is None else runs
