"""Sealing: ticks that grew old become chunks, a few milliseconds' work at a time. Part of the caller's transaction.

The oldest raw tick says what is next. Its window is packed one entity after another over as many ticks as that takes;
then, at once, the ticks themselves: from that commit on the chunks speak, and the raw rows are let go in slices. A
process that is killed in between leaves chunks without ticks, which are made anew, or raw rows without ticks, which
are found at the front of their table and go. That work is spread by time makes it needless to shift the windows of
entities against one another.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from tokwatch.store.chunks import CHUNK_TABLES, Layouts, delete_entries, seal_ticks
from tokwatch.store.schema import ENTITY_BITS, TICK_LIMIT_MS
from tokwatch.store.sealed import WINDOW_MS

BUDGET_S: Final = 0.020  # of one tick's transaction
TICKS_AT_MOST: Final = 1200  # of a window: after a clock was set back ticks are a millisecond apart

_LOOK_EVERY_MS: Final = 5_000  # when nothing was due
_LATER_MS: Final = TICK_LIMIT_MS + WINDOW_MS
_SLICE_MS: Final = 60_000  # of raw rows that are let go at once


class Sealing:
    """Belongs to the connection it is given. Errors of SQLite pass through; then call `forget`."""

    def __init__(
        self, connection: sqlite3.Connection, raw_ms: int, *, clock_s: Callable[[], float] = time.perf_counter
    ) -> None:
        self._connection = connection
        self._layouts = Layouts(connection)
        self._raw_ms = raw_ms
        self._clock_s = clock_s
        self._steps: deque[Callable[[], None]] = deque()
        self._look_again_ms: int | None = None

    def forget(self) -> None:
        """After a rollback: begin with the window anew."""
        self._layouts.forget()
        self._steps.clear()
        self._look_again_ms = None

    def step(self, now_ms: int, budget_s: float = BUDGET_S) -> bool:
        """Do one piece of work at least, where there is any, and more while the time lasts; whether there was any."""
        began_s = self._clock_s()
        if not self._steps:
            if self._look_again_ms is not None and now_ms < self._look_again_ms:
                return False
            self._plan(now_ms - self._raw_ms)
        worked = bool(self._steps)
        while self._steps:
            self._steps.popleft()()
            if self._clock_s() - began_s >= budget_s:
                break
        self._look_again_ms = None if worked else now_ms + _LOOK_EVERY_MS
        return worked

    def _plan(self, before_ms: int) -> None:
        """The steps of the oldest window, where all of it is older than `before_ms`."""
        for table in CHUNK_TABLES:
            row = self._connection.execute(
                f"SELECT id >> {ENTITY_BITS} FROM {table.raw_table} ORDER BY id LIMIT 1"
            ).fetchone()
            if row is not None and not self._is_tick(row[0]):
                self._let_go(row[0], _window_end_ms(row[0]))
        if self._steps:
            return
        (first_ms,) = self._connection.execute("SELECT min(tick_ms) FROM tick").fetchone()
        if first_ms is None or _window_end_ms(first_ms) > before_ms:
            return
        end_ms = self._end_ms(first_ms)
        if not self._is_rolled_up(end_ms):
            return
        by_run: dict[int, list[int]] = {}
        for run, tick_ms in self._connection.execute(
            "SELECT run, tick_ms FROM tick WHERE tick_ms >= ? AND tick_ms < ? ORDER BY tick_ms", (first_ms, end_ms)
        ):
            by_run.setdefault(run, []).append(tick_ms)
        for ticks_ms in by_run.values():  # a sealing that was interrupted may have been of a longer window
            delete_entries(self._connection, ticks_ms[0])
        for table in CHUNK_TABLES:
            for entity in table.raw_entities(self._connection, first_ms, end_ms - 1):
                for run, ticks_ms in by_run.items():
                    self._steps.append(partial(table.seal, self._connection, self._layouts, run, ticks_ms, entity))
        self._steps.append(partial(self._seal_ticks, first_ms, end_ms, sum(map(len, by_run.values()))))
        self._let_go(first_ms, end_ms)

    def _seal_ticks(self, first_ms: int, end_ms: int, planned: int) -> None:
        """From here on the window is sealed; unless an import has come into it meanwhile: then it is begun anew."""
        by_run: dict[int, list[tuple[int | None, ...]]] = {}
        for run, *row in self._connection.execute(
            "SELECT run, tick_ms, wall_ms, boottime_ns, clock_step_ms, reaches_ms FROM tick "
            "WHERE tick_ms >= ? AND tick_ms < ? ORDER BY tick_ms",
            (first_ms, end_ms),
        ):
            by_run.setdefault(run, []).append(tuple(row))
        if sum(map(len, by_run.values())) != planned:
            self._steps.clear()
            return
        for run, rows in by_run.items():
            seal_ticks(self._connection, self._layouts, run, rows)
        self._connection.execute("DELETE FROM tick WHERE tick_ms >= ? AND tick_ms < ?", (first_ms, end_ms))

    def _let_go(self, first_ms: int, end_ms: int) -> None:
        for from_ms in range(first_ms, end_ms, _SLICE_MS):
            for table in CHUNK_TABLES:
                self._steps.append(partial(self._delete, table.raw_table, from_ms, min(from_ms + _SLICE_MS, end_ms)))

    def _delete(self, table: str, from_ms: int, end_ms: int) -> None:
        # What was imported into the same minutes since has ticks of its own and stays.
        self._connection.execute(
            f"DELETE FROM {table} WHERE id >= ? AND id < ? "
            f"AND (id >> {ENTITY_BITS}) NOT IN (SELECT tick_ms FROM tick WHERE tick_ms >= ? AND tick_ms < ?)",
            (from_ms << ENTITY_BITS, end_ms << ENTITY_BITS, from_ms, end_ms),
        )

    def _is_tick(self, tick_ms: int) -> bool:
        return self._connection.execute("SELECT 1 FROM tick WHERE tick_ms = ?", (tick_ms,)).fetchone() is not None

    def _is_rolled_up(self, end_ms: int) -> bool:
        """Nothing is let go before it is in the sums of minutes and quarter hours."""
        return (
            self._connection.execute(
                "SELECT 1 FROM quarter WHERE rolled = 0 AND quarter_ms < :end "
                "UNION ALL SELECT 1 FROM minute_due WHERE minute_ms < :end",
                {"end": end_ms},
            ).fetchone()
            is None
        )

    def _end_ms(self, first_ms: int) -> int:
        """Where the window ends that begins with a tick; before its time where it has too many."""
        end_ms = _window_end_ms(first_ms)
        row = self._connection.execute(
            "SELECT tick_ms FROM tick WHERE tick_ms >= ? AND tick_ms < ? ORDER BY tick_ms LIMIT 1 OFFSET ?",
            (first_ms, end_ms, TICKS_AT_MOST),
        ).fetchone()
        return end_ms if row is None else int(row[0])


def seal_all(connection: sqlite3.Connection) -> None:
    """Seal every tick of a store that nobody records into, in one transaction of its own."""
    sealing = Sealing(connection, 0)
    connection.execute("BEGIN IMMEDIATE")
    try:
        while sealing.step(_LATER_MS, budget_s=float("inf")):
            pass
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _window_end_ms(tick_ms: int) -> int:
    return (tick_ms // WINDOW_MS + 1) * WINDOW_MS
