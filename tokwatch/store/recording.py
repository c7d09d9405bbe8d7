"""What is written, each method in one transaction of the connection it is given. Knows nothing of threads."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Final

from msgspec.structs import replace

from tokwatch.ledger.entries import Absolute, Entity, Flag, Run, TickRecord
from tokwatch.store import quarters, rows
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.rollup import QUARTER_MS, quarter_of
from tokwatch.store.validation import check_record

# Where increments stop telescoping, or start: the counters as they stood are kept there for ever.
_KEPT: Final = (Flag.BASELINE | Flag.RESET | Flag.GAP | Flag.SUSPECT).value


@dataclass(frozen=True, slots=True)
class Opened:
    """What a recorder needs to go on where the store stands."""

    last_tick_ms: int | None
    last_run: Run | None  # imports left out
    entities: tuple[Entity, ...]
    absolutes: tuple[Absolute, ...]  # the latest of each entity


class Recording:
    """Transactions on one store. Errors of SQLite pass through, with everything of that call rolled back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._codec = HistogramCodec(connection)
        self._current: tuple[int, int] | None = None  # run and quarter that are marked as due already

    def recover(self) -> Opened:
        """Roll up what an earlier process left unfinished, and say where the store stands."""
        last_tick_ms: int | None = self._connection.execute("SELECT max(tick_ms) FROM tick").fetchone()[0]
        with self._transaction():
            if last_tick_ms is not None:
                quarters.roll_up_due(self._connection, self._codec, before_ms=quarter_of(last_tick_ms))
        live_runs = [run for run in rows.select_runs(self._connection) if run.kind != "imported"]
        return Opened(
            last_tick_ms,
            live_runs[-1] if live_runs else None,
            tuple(rows.select_entities(self._connection)),
            tuple(rows.select_latest_absolutes(self._connection)),
        )

    def begin_run(self, run: Run) -> Run:
        with self._transaction():
            return rows.insert_run(self._connection, run)

    def write(self, record: TickRecord) -> None:
        """One tick; the first one past a quarter hour's edge also rolls that quarter up."""
        with self._transaction():
            self._insert(record)
            rows.replace_latest_absolutes(self._connection, record.tick.tick_ms, record.absolutes)
            self._append_absolutes(record)
            self._roll_up(record)

    def write_import(self, run: Run, records: Iterable[TickRecord]) -> bool:
        """A whole import, moved on by a millisecond where a tick's place is taken; False if it is here already.

        Raises ValueError for a run without a digest of its content, or for ticks later than now: those would
        push every tick recorded from here on into the future.
        """
        if run.kind != "imported" or not run.source:
            raise ValueError("an import needs a run of kind 'imported' with the digest of its content as source")
        now_ms = time.time_ns() // 1_000_000
        with self._transaction():
            if self._connection.execute(
                "SELECT 1 FROM run WHERE kind = 'imported' AND source = ?", (run.source,)
            ).fetchone():
                return False
            run = rows.insert_run(self._connection, run)
            given_ms = placed_ms = None
            for record in records:
                check_record(record, given_ms)
                given_ms = record.tick.tick_ms
                placed_ms = self._free_place(given_ms if placed_ms is None else max(given_ms, placed_ms + 1))
                if placed_ms > now_ms:
                    raise ValueError(f"the import has a tick at {given_ms}, which is later than now ({now_ms})")
                placed = _placed(record, placed_ms, run.id)
                self._insert(placed)
                quarters.mark_due(self._connection, run.id, _touched(placed))
            if placed_ms is not None:
                quarters.roll_up_due(self._connection, self._codec, before_ms=placed_ms, of_run=run.id)
            return True

    def add_price(self, price: rows.PriceVersion) -> rows.PriceVersion:
        with self._transaction():
            return rows.insert_price(self._connection, price)

    def limit_pages(self, max_page_count: int) -> None:
        self._connection.execute(f"PRAGMA max_page_count = {max_page_count:d}")

    def end_run(self, run: int) -> None:
        """Keep the counters as they stand at the run's end."""
        with self._transaction():
            rows.append_last_absolutes(self._connection, run)

    def _insert(self, record: TickRecord) -> None:
        connection, codec, tick_ms = self._connection, self._codec, record.tick.tick_ms
        reaches_ms = quarters.reaches_ms(tick_ms, chain(record.gpus, record.flows, record.hosts))
        rows.insert_tick(connection, record.tick, reaches_ms)
        rows.insert_entities(connection, record.entities)
        rows.GPU_ROWS.insert(connection, codec, tick_ms, record.gpus)
        rows.SERVER_ROWS.insert(connection, codec, tick_ms, record.servers)
        rows.FLOW_ROWS.insert(connection, codec, tick_ms, record.flows)
        rows.HOST_ROWS.insert(connection, codec, tick_ms, record.hosts)
        rows.insert_events(connection, record.events)

    def _append_absolutes(self, record: TickRecord) -> None:
        flags = {entry.entity: entry.flags for entry in rows.entries_of(record) if entry.flags & _KEPT}
        if flags:
            kept = ((each, flags[each.entity]) for each in record.absolutes if each.entity in flags)
            rows.append_absolutes(self._connection, record.tick.tick_ms, kept)

    def _roll_up(self, record: TickRecord) -> None:
        run, touched = record.tick.run, _touched(record)
        now = (run, touched[-1])
        if now == self._current and len(touched) == 1:
            return
        if self._current is not None and self._current[1] < now[1]:
            quarters.mark_due(self._connection, self._current[0], (self._current[1],))
        quarters.mark_due(self._connection, run, touched)
        quarters.roll_up_due(self._connection, self._codec, before_ms=now[1])
        self._current = now

    def _free_place(self, tick_ms: int) -> int:
        while self._connection.execute("SELECT 1 FROM tick WHERE tick_ms = ?", (tick_ms,)).fetchone():
            tick_ms += 1
        return tick_ms

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._codec.forget()
            self._current = None
            if self._connection.in_transaction:  # SQLite rolls back by itself on some errors
                self._connection.execute("ROLLBACK")
            raise


def _touched(record: TickRecord) -> range:
    """Quarters that a tick has rows for, its own last."""
    tick_ms = record.tick.tick_ms
    own = quarter_of(tick_ms)
    first = quarters.reaches_ms(tick_ms, chain(record.gpus, record.flows, record.hosts))
    return range(own if first is None else first, own + QUARTER_MS, QUARTER_MS)


def _placed(record: TickRecord, tick_ms: int, run: int) -> TickRecord:
    return replace(
        record,
        tick=replace(record.tick, tick_ms=tick_ms, run=run),
        events=tuple(replace(event, tick_ms=tick_ms) for event in record.events),
    )
