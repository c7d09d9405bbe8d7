"""Pruning: what grew too old, or does not fit the size that the store may have, is let go, a window at a time.

Quarter hours, prices and what happened are never let go; of what was measured of capacity as events, only what is older
than minutes are kept, and never the last of a series. Sealed chunks go before minute rows, the oldest first.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from tokwatch.store.chunks import delete_entries
from tokwatch.store.minute_pruning import prune_minutes
from tokwatch.store.retention import Retention
from tokwatch.store.schema import ENTITY_BITS
from tokwatch.store.series import event_series

LOOK_EVERY_MS: Final = 60_000  # when nothing was due

_FOR_EVER_MS: Final = 1 << 62
_ROWS_AT_ONCE: Final = 500
_FREE_PAGES: Final = 2048  # kept for what comes next: giving 8 MB back and taking them again helps nobody
_PAGES_AT_ONCE: Final = 64

# What was imported is as old as its import: it would be gone at once else. One index seek for each run.
_OLDEST_CHUNK: Final = """SELECT first_ms FROM run CROSS JOIN tick_chunk
    ON first_ms = (SELECT min(of_run.first_ms) FROM tick_chunk AS of_run WHERE of_run.run = run.id)
    WHERE CASE run.kind WHEN 'imported' THEN max(run.started_ms, last_ms) ELSE last_ms END < ?
    ORDER BY first_ms LIMIT 1"""
_OLD_ABSOLUTES: Final = """DELETE FROM absolute WHERE id IN (
    SELECT id FROM absolute WHERE id < :before AND flags = 0 ORDER BY id LIMIT :rows)"""


# A deployment writes 5000 of these a day: operating points and the frontier that was learnt from them.
_MEASURED: Final = ("operating", "frontier", "load")
_OLD_EVENTS: Final = """DELETE FROM event WHERE kind = :kind AND entity = :entity AND key = :key AND tick_ms < min(
    (SELECT max(tick_ms) FROM event WHERE kind = :kind AND entity = :entity AND key = :key AND tick_ms < :before),
    coalesce((SELECT tick_ms FROM event WHERE kind = :kind AND entity = :entity AND key = :key
        ORDER BY tick_ms LIMIT 1 OFFSET :rows), :before))"""


class Pruning:
    """Belongs to the connection it is given. Errors of SQLite pass through; then call `forget`."""

    def __init__(self, connection: sqlite3.Connection, retention: Retention) -> None:
        self._connection = connection
        self._retention = retention
        self._look_again_ms: int | None = None
        self._cut_to_ms: int | None = None

    @property
    def cut_to_ms(self) -> int | None:
        """Where history begins since the size that is allowed made younger history go; None: it never did."""
        return self._cut_to_ms

    def forget(self) -> None:
        """After a rollback."""
        self._look_again_ms = None

    def step(self, now_ms: int) -> None:
        """One window, or some rows, and some pages given back; part of the caller's transaction."""
        if self._look_again_ms is not None and now_ms < self._look_again_ms:
            return
        worked = self._prune(now_ms) or self._give_back()
        self._look_again_ms = None if worked else now_ms + LOOK_EVERY_MS

    def _prune(self, now_ms: int) -> bool:
        history_ms = now_ms - self._retention.history_ms
        row = self._connection.execute(_OLDEST_CHUNK, (history_ms,)).fetchone()
        if row is not None:
            self._let_go(row[0])
            return True
        if prune_minutes(self._connection, now_ms - self._retention.minutes_ms, _ROWS_AT_ONCE):
            return True
        # Counters as they stood at the edges of what is sealed; those beside a reset stay.
        within = {"before": history_ms << ENTITY_BITS, "rows": _ROWS_AT_ONCE}
        if self._connection.execute(_OLD_ABSOLUTES, within).rowcount:
            return True
        if self._prune_events(now_ms - self._retention.minutes_ms):
            return True
        return self._is_too_large() and self._cut()

    def _prune_events(self, before_ms: int) -> bool:
        return any(
            self._connection.execute(
                _OLD_EVENTS,
                {"kind": kind, "entity": entity, "key": key, "before": before_ms, "rows": _ROWS_AT_ONCE},
            ).rowcount
            for kind, entity, key in event_series(self._connection, _MEASURED)
        )

    def _let_go(self, first_ms: int) -> None:
        delete_entries(self._connection, first_ms)
        self._connection.execute("DELETE FROM tick_chunk WHERE first_ms = ?", (first_ms,))

    def _cut(self) -> bool:
        """Let the oldest chunk go, else the oldest minutes, for the sake of the size."""
        row = self._connection.execute("SELECT first_ms, last_ms FROM tick_chunk ORDER BY first_ms LIMIT 1").fetchone()
        if row is not None:
            self._let_go(row[0])
            self._cut_to_ms = row[1]
            return True
        return prune_minutes(self._connection, _FOR_EVER_MS, _ROWS_AT_ONCE) > 0

    def _is_too_large(self) -> bool:
        if self._retention.size_bytes is None:
            return False
        used = self._pragma("page_count") - self._pragma("freelist_count")
        return used * self._pragma("page_size") > self._retention.size_bytes

    def _give_back(self) -> bool:
        """Free pages to the file system, where there are more than will be needed soon."""
        if self._pragma("freelist_count") <= max(_FREE_PAGES, self._pragma("page_count") // 20):
            return False
        self._connection.execute(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})").fetchall()
        return True

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
