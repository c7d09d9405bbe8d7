"""What a fleet's recorder writes, each method in one transaction of the connection it is given. Knows no threads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from tokwatch.ledger.entries import Run
from tokwatch.ledger.fleet.host_quarters import HostQuarter
from tokwatch.store import meta, rows
from tokwatch.store.fleet.frames import Frame, packed
from tokwatch.store.fleet.naming import Named, Naming
from tokwatch.store.fleet.pruning import FramePruning
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.quarters import Quarters, insert_quarters
from tokwatch.store.retention import Retention
from tokwatch.store.seen import add_seen

T = TypeVar("T")


class FleetRecording:
    """Errors of SQLite pass through, with everything of that call rolled back."""

    def __init__(self, connection: sqlite3.Connection, retention: Retention | None = None) -> None:
        self._connection = connection
        self._pruning = FramePruning(connection, retention or Retention())
        self._codec = HistogramCodec(connection)
        self._naming = Naming(rows.select_entities(connection))
        self._run = 0

    def begin_run(self, run: Run) -> Run:
        """A run that is recorded; its id is given here."""

        def begin() -> Run:
            begun = rows.insert_run(self._connection, run)
            meta.describe(self._connection, begun)
            self._run = begun.id
            self._tick(begun.started_ms)  # without it the first quarter hour would be of before the run's session
            return begun

        return self._transaction(begin)

    def write_quarters(self, quarters: Sequence[HostQuarter]) -> None:
        """Quarter hours of hosts, in place of what there is of them: one that goes on is written more than once."""
        named = self._naming.named(quarters, self._run)
        try:
            self._transaction(lambda: self._write_quarters(quarters, named))
        except BaseException:
            self._naming.forget(named)
            raise

    def write_frame(self, frame: Frame) -> None:
        """A frame, and a tick that says how far the run goes; a few frames that are too old go, or too many."""
        self._transaction(lambda: self._write_frame(frame))

    def _write_quarters(self, quarters: Sequence[HostQuarter], named: Named) -> None:
        connection, run = self._connection, self._run
        rows.insert_entities(connection, named.entities)
        rows.insert_events(connection, run, named.facts)
        self._delete("gpu_quarter", {(row.quarter_ms, run, row.entity) for row in named.gpus})
        self._delete("flow_quarter", {(row.quarter_ms, run, row.entity) for row in named.flows})
        self._delete("flow_elsewhere_quarter", {(row.quarter_ms, run, row.entity) for row in named.elsewhere})
        insert_quarters(connection, self._codec, Quarters(named.gpus, named.flows, [], named.elsewhere))
        connection.executemany(
            "INSERT OR IGNORE INTO quarter (quarter_ms, run, rolled) VALUES (?, ?, 1)",
            {(quarter.quarter_ms, run) for quarter in quarters},
        )
        add_seen(connection, named.seen)
        self._tick(max(quarter.last_ms for quarter in quarters))

    def _delete(self, table: str, keys: Collection[tuple[int, int, int]]) -> None:
        self._connection.executemany(f"DELETE FROM {table} WHERE quarter_ms = ? AND run = ? AND entity = ?", keys)

    def _write_frame(self, frame: Frame) -> None:
        trend = frame.trend
        self._connection.execute(
            "INSERT OR REPLACE INTO fleet_frame (grain_ms, at_ms, run, hosts, output_tok_s, power_w, gpus_idle, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                frame.grain_ms,
                frame.at_ms,
                self._run,
                len(frame.hosts),
                trend.output_tok_s,
                trend.power_w,
                trend.gpus_idle,
                packed(frame.hosts),
            ),
        )
        self._pruning.step(frame.grain_ms, frame.at_ms)
        self._tick(frame.at_ms)

    def _tick(self, at_ms: int) -> None:
        """Says how far the run goes: events and sessions are read up to the last tick."""
        self._connection.execute(
            "INSERT OR IGNORE INTO tick (tick_ms, wall_ms, boottime_ns, clock_step_ms, run) VALUES (?, ?, 0, 0, ?)",
            (at_ms, at_ms, self._run),
        )

    def _transaction(self, work: Callable[[], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            done = work()
            self._connection.execute("COMMIT")
        except BaseException:
            self._codec.forget()
            if self._connection.in_transaction:  # SQLite rolls back by itself on some errors
                self._connection.execute("ROLLBACK")
            raise
        return done
