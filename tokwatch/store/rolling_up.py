"""Keeping minute and quarter-hour rows in step with the ticks. Every method is part of the caller's transaction.

What a tick's entries add to the minute and the quarter hour that it lies in is stored when those close: at the first
tick of the same run past them, which sums up their raw rows (see `open_periods`). What they add to earlier ones, for
they reach back, is added to the rows there at once: those may long be closed, and their raw rows sealed or gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

from tokwatch.ledger.entries import FlowEntry, GpuEntry, HostEntry, TickRecord
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.open_periods import due, open_minutes, open_quarter, open_stretches
from tokwatch.store.period_sums import added, sums_of
from tokwatch.store.quarters import MINUTE, QUARTER, Level, Quarters
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS, RolledUp, first_quarter
from tokwatch.store.seen import keep_seen


@dataclass(slots=True)
class _Entries:
    """What the ticks of one minute brought."""

    gpus: list[GpuEntry] = field(default_factory=list)
    flows: list[FlowEntry] = field(default_factory=list)
    hosts: list[HostEntry] = field(default_factory=list)

    def add(self, record: TickRecord) -> None:
        self.gpus += record.gpus
        self.flows += record.flows
        self.hosts += record.hosts

    def sums(self, run: int, minute_ms: int) -> Quarters:
        return sums_of(
            self.gpus,
            self.flows,
            self.hosts,
            run=run,
            from_ms=minute_ms,
            to_ms=minute_ms + MINUTE_MS,
            grain_ms=MINUTE_MS,
        )


class RollUps:
    """Belongs to the connection it is given. Errors of SQLite pass through; then call `forget`."""

    def __init__(self, connection: sqlite3.Connection, codec: HistogramCodec) -> None:
        self._connection = connection
        self._codec = codec
        self._current: tuple[int, int] | None = None  # run and minute of the last tick: what the store says as well
        # All entries of that minute, where none was missed: reading them back costs ten times as much.
        self._entries: _Entries | None = None

    def forget(self) -> None:
        """After a rollback."""
        self._current = self._entries = None

    def add(self, record: TickRecord) -> None:
        """A tick whose raw rows are in."""
        run, minute_ms = record.tick.run, MINUTE.start_of(record.tick.tick_ms)
        before_ms = self._minute_before(run, record.tick.tick_ms)
        if before_ms != minute_ms:
            if before_ms is not None:
                self._close_before(run, before_ms, minute_ms)
            self._open(run, minute_ms)
            self._current, self._entries = (run, minute_ms), _Entries()
        if self._entries is not None and self._current == (run, minute_ms):
            self._entries.add(record)
        self._add_late_parts(record, minute_ms)

    def close(self, run: int | None = None) -> None:
        """Close what is open of a run that is over; of all runs, before another one begins."""
        for of_run, first_ms, end_ms in open_stretches(self._connection):
            if run in (None, of_run):
                self._close_minutes(of_run, first_ms, end_ms)
        for of_run, quarter_ms in due(self._connection, QUARTER):
            if run in (None, of_run):
                self._close_quarter(of_run, quarter_ms)

    def _minute_before(self, run: int, tick_ms: int) -> int | None:
        """The minute of the run's last tick before this one."""
        if self._current is not None and self._current[0] == run:
            return self._current[1]
        before_ms: int | None = self._connection.execute(
            "SELECT max(tick_ms) FROM tick WHERE run = ? AND tick_ms < ?", (run, tick_ms)
        ).fetchone()[0]
        return None if before_ms is None else MINUTE.start_of(before_ms)

    def _open(self, run: int, minute_ms: int) -> None:
        self._connection.execute("INSERT OR IGNORE INTO minute_due (minute_ms, run) VALUES (?, ?)", (minute_ms, run))
        # Another process that began a run in this store took this one to be over and closed what was open of it.
        self._connection.execute(
            "INSERT INTO quarter (quarter_ms, run, rolled) VALUES (?, ?, 0) "
            "ON CONFLICT (quarter_ms, run) DO UPDATE SET rolled = 0",
            (QUARTER.start_of(minute_ms + 1), run),
        )

    def _close_before(self, run: int, before_ms: int, minute_ms: int) -> None:
        """Close the minute before, whoever may have closed it too early; and its quarter hour, where that is over."""
        self._close_minutes(run, before_ms, before_ms + MINUTE_MS)
        quarter_ms = QUARTER.start_of(before_ms + 1)
        if quarter_ms != QUARTER.start_of(minute_ms + 1):
            self._close_quarter(run, quarter_ms)

    def _close_minutes(self, run: int, first_ms: int, end_ms: int) -> None:
        if self._entries is not None and self._current == (run, first_ms) and end_ms == first_ms + MINUTE_MS:
            rows = self._entries.sums(run, first_ms)
        else:
            rows = open_minutes(self._connection, self._codec, run, first_ms, end_ms)
        MINUTE.replace(self._connection, self._codec, run, first_ms, end_ms, rows)
        self._connection.execute(
            "DELETE FROM minute_due WHERE run = ? AND minute_ms >= ? AND minute_ms < ?", (run, first_ms, end_ms)
        )

    def _close_quarter(self, run: int, quarter_ms: int) -> None:
        end_ms = quarter_ms + QUARTER_MS
        rows = open_quarter(self._connection, self._codec, run, quarter_ms)
        QUARTER.replace(self._connection, self._codec, run, quarter_ms, end_ms, rows)
        keep_seen(self._connection, run, quarter_ms, end_ms)
        self._connection.execute("UPDATE quarter SET rolled = 1 WHERE run = ? AND quarter_ms = ?", (run, quarter_ms))

    def _add_late_parts(self, record: TickRecord, minute_ms: int) -> None:
        entries: Iterable[RolledUp] = chain(record.gpus, record.flows, record.hosts)
        first_ms = min((first_quarter(entry, MINUTE_MS) for entry in entries), default=minute_ms)
        if first_ms >= minute_ms:
            return
        self._add_parts(MINUTE, record, first_ms, minute_ms)
        first_quarter_ms, quarter_ms = QUARTER.start_of(first_ms + 1), QUARTER.start_of(minute_ms + 1)
        if first_quarter_ms < quarter_ms:
            self._add_parts(QUARTER, record, first_quarter_ms, quarter_ms)

    def _add_parts(self, level: Level, record: TickRecord, from_ms: int, to_ms: int) -> None:
        """Add what the tick's entries have in the periods that start in [from_ms, to_ms) to the rows of those."""
        run, connection, codec = record.tick.run, self._connection, self._codec
        parts = sums_of(
            record.gpus,
            record.flows,
            record.hosts,
            run=run,
            from_ms=from_ms,
            to_ms=to_ms,
            grain_ms=level.grain_ms,
        )
        periods = parts.periods()
        if not periods:
            return
        first_ms, end_ms = min(periods)[0], max(periods)[0] + level.grain_ms
        stored = level.select(connection, codec, (run,), first_ms, end_ms)
        level.replace(connection, codec, run, first_ms, end_ms, added((stored, parts), level.grain_ms))
        if level is QUARTER:
            connection.executemany("INSERT OR IGNORE INTO quarter (quarter_ms, run, rolled) VALUES (?, ?, 1)", periods)
