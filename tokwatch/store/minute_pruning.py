"""Letting minute rows go that grew too old, the oldest first and some at a time."""

from __future__ import annotations

import sqlite3
from typing import Final

from tokwatch.store.rollup import MINUTE_MS

_TABLES: Final = ("gpu_minute", "flow_minute", "flow_elsewhere_minute", "host_minute")
# What was imported is as old as its import: it would be gone at once else. One index seek for each run.
_OLDEST: Final = """SELECT id, (SELECT min(minute_ms) FROM {table} WHERE run = run.id) AS first_ms FROM run
    WHERE first_ms < :before AND (kind <> 'imported' OR started_ms < :before) ORDER BY first_ms, id"""
_FIRST_TO_STAY: Final = "SELECT minute_ms FROM {table} WHERE run = ? ORDER BY minute_ms LIMIT 1 OFFSET ?"


def prune_minutes(connection: sqlite3.Connection, before_ms: int, at_most_rows: int) -> int:
    """Let rows of minutes before `before_ms` go; how many went. Part of the caller's transaction.

    Minutes go whole, so one minute may bring more than at_most_rows. Costs a seek for each run when nothing is due.
    """
    gone = 0
    for table in _TABLES:
        for run, first_ms in connection.execute(_OLDEST.format(table=table), {"before": before_ms}).fetchall():
            if gone >= at_most_rows:
                return gone
            row = connection.execute(_FIRST_TO_STAY.format(table=table), (run, at_most_rows - gone)).fetchone()
            end_ms = before_ms if row is None else min(before_ms, max(row[0], first_ms + MINUTE_MS))
            gone += connection.execute(f"DELETE FROM {table} WHERE run = ? AND minute_ms < ?", (run, end_ms)).rowcount
    return gone
