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

from tokwatch.ledger.entries import Absolute, Entity, Run, TickRecord
from tokwatch.store import absolutes, meta, quarters, rows
from tokwatch.store.errors import StoreError
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.pruning import Pruning
from tokwatch.store.retention import Retention
from tokwatch.store.rolling_up import RollUps
from tokwatch.store.sealing import Sealing
from tokwatch.store.ticks import Ticks
from tokwatch.store.validation import check_record

_REST_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Opened:
    """What a recorder needs to go on where the store stands."""

    last_tick_ms: int | None
    last_run: Run | None  # imports left out
    entities: tuple[Entity, ...]
    absolutes: tuple[Absolute, ...]  # the latest of each entity


class Recording:
    """Transactions on one store. Errors of SQLite pass through, with everything of that call rolled back."""

    def __init__(self, connection: sqlite3.Connection, retention: Retention | None = None) -> None:
        retention = retention or Retention()
        self._connection = connection
        self._sealing = Sealing(connection, retention.raw_ms)
        self._pruning = Pruning(connection, retention)
        self._rest_until_ms = 0
        self._codec = HistogramCodec(connection)
        self._standing: absolutes.Standing | None = None
        self._roll_ups = RollUps(connection, self._codec)

    @property
    def cut_to_ms(self) -> int | None:
        """Where history begins since the size that is allowed made younger ticks go; None: it never did."""
        return self._pruning.cut_to_ms

    def recover(self) -> Opened:
        """Where the store stands."""
        last_tick_ms = Ticks(self._connection, self._codec).last(None, None)
        live_runs = [run for run in rows.select_runs(self._connection) if run.kind != "imported"]
        return Opened(
            last_tick_ms,
            live_runs[-1] if live_runs else None,
            tuple(rows.select_entities(self._connection)),
            tuple(rows.select_latest_absolutes(self._connection)),
        )

    def begin_run(self, run: Run) -> Run:
        """A run that is recorded; those before it are over, killed or not, and what is open of them is rolled up."""
        self._standing = None
        with self._transaction():
            self._roll_ups.close()
            begun = rows.insert_run(self._connection, run)
            meta.describe(self._connection, begun)
            return begun

    def write(self, record: TickRecord) -> None:
        """One tick; the first one past the edge of a minute or a quarter hour also rolls that up."""
        with self._transaction():
            self._insert(record)
            rows.replace_latest_absolutes(self._connection, record.tick.tick_ms, record.absolutes)
            kept = absolutes.kept(record, self._standing)
            rows.append_absolutes(self._connection, record.tick.tick_ms, kept)
            self._roll_ups.add(record)
            self._keep_up(record.tick.tick_ms)
        self._standing = absolutes.standing(record)

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
            ticks = Ticks(self._connection, self._codec)
            given_ms = placed_ms = None
            for record in records:
                check_record(record, given_ms)
                given_ms = record.tick.tick_ms
                placed_ms = given_ms if placed_ms is None else max(given_ms, placed_ms + 1)
                while ticks.after(None, placed_ms - 1) == placed_ms:  # taken, raw or sealed
                    placed_ms += 1
                if placed_ms > now_ms:
                    raise ValueError(f"the import has a tick at {given_ms}, which is later than now ({now_ms})")
                placed = _placed(record, placed_ms, run.id)
                self._insert(placed)
                self._roll_ups.add(placed)
            self._roll_ups.close(run.id)
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
        rows.insert_events(connection, record.tick.run, record.events)

    def _keep_up(self, tick_ms: int) -> None:
        """Seal and prune a little. Raises StoreError for what is wrong with older ticks: this one is not to blame."""
        if tick_ms < self._rest_until_ms:
            return
        # Should there be no room for it, the tick is written again without: ticks come first.
        self._rest_until_ms = tick_ms + _REST_MS
        try:
            if not self._sealing.step(tick_ms):
                self._pruning.step(tick_ms)
        except (sqlite3.IntegrityError, ValueError, OverflowError) as error:
            raise StoreError(f"older ticks could not be sealed or let go: {error}") from error
        self._rest_until_ms = 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            self._codec.forget()
            self._sealing.forget()
            self._pruning.forget()
            self._roll_ups.forget()
            if self._connection.in_transaction:  # SQLite rolls back by itself on some errors
                self._connection.execute("ROLLBACK")
            raise


def _placed(record: TickRecord, tick_ms: int, run: int) -> TickRecord:
    return replace(
        record,
        tick=replace(record.tick, tick_ms=tick_ms, run=run),
        events=tuple(replace(event, tick_ms=tick_ms) for event in record.events),
    )
