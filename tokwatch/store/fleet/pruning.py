"""What a fleet's store lets go: frames that are older than their level is kept, or that the store has no room for."""

from __future__ import annotations

import sqlite3
from typing import Final

from tokwatch.store.fleet.frames import COARSE_MS, FINE_MS
from tokwatch.store.retention import Retention

_AT_ONCE: Final = 4  # frames; one comes


class FramePruning:
    """Belongs to the connection it is given. Quarter hours are never let go."""

    def __init__(self, connection: sqlite3.Connection, retention: Retention) -> None:
        """Frames of FINE_MS are kept for as long as single ticks of one box, those of COARSE_MS as its minutes."""
        self._connection = connection
        self._kept_ms = {FINE_MS: retention.raw_ms, COARSE_MS: retention.minutes_ms}
        self._size_bytes = retention.size_bytes

    def step(self, grain_ms: int, now_ms: int) -> None:
        """A few frames of a level that got one at `now_ms`; for the store's size the oldest fine ones go first."""
        if self._let_go(grain_ms, now_ms - self._kept_ms[grain_ms]) or not self._is_too_large():
            return
        if not self._let_go(FINE_MS, now_ms):
            self._let_go(COARSE_MS, now_ms)

    def _let_go(self, grain_ms: int, before_ms: int) -> bool:
        deleted = self._connection.execute(
            "DELETE FROM fleet_frame WHERE id IN (SELECT id FROM fleet_frame WHERE grain_ms = ? AND at_ms < ? "
            "ORDER BY at_ms LIMIT ?)",
            (grain_ms, before_ms, _AT_ONCE),
        )
        return deleted.rowcount > 0

    def _is_too_large(self) -> bool:
        if self._size_bytes is None:
            return False
        used = self._pragma("page_count") - self._pragma("freelist_count")
        return used * self._pragma("page_size") > self._size_bytes

    def _pragma(self, name: str) -> int:
        (value,) = self._connection.execute(f"PRAGMA {name}").fetchone()
        return int(value)
