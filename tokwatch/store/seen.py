"""From when to when each GPU was there to be watched: what tells a gap from the time before and after it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Final, NamedTuple

from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT


class Seen(NamedTuple):
    """A GPU in one run: (first_ms, last_ms] holds everything that the run knows of it."""

    entity: int
    run: int
    first_ms: int
    last_ms: int


_STRETCH: Final = (
    f"SELECT e.id & {ENTITY_LIMIT - 1} AS entity, t.run AS run, min(t.tick_ms + e.t0) AS first_ms, "
    "max(t.tick_ms + e.t1) AS last_ms FROM"
)
_ENTRIES: Final = (
    f"CROSS JOIN gpu_raw AS e ON e.id BETWEEN t.tick_ms << {ENTITY_BITS} "
    f"AND (t.tick_ms << {ENTITY_BITS}) + {ENTITY_LIMIT - 1}"
)
_KEEP: Final = (
    f"INSERT INTO gpu_seen (entity, run, first_ms, last_ms) {_STRETCH} tick AS t {_ENTRIES} "
    "WHERE t.tick_ms > :first AND t.tick_ms <= :end AND +t.run = :run GROUP BY 1, 2 "
    "ON CONFLICT (run, entity) DO UPDATE SET "
    "first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)"
)
_ADD: Final = (
    "INSERT INTO gpu_seen (entity, run, first_ms, last_ms) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (run, entity) DO UPDATE SET "
    "first_ms = min(first_ms, excluded.first_ms), last_ms = max(last_ms, excluded.last_ms)"
)
_OF_RUNS: Final = "(:runs IS NULL OR run IN (SELECT value FROM json_each(:runs)))"
_SEEN: Final = f"""
    SELECT entity, run, min(first_ms), max(last_ms) FROM (
        SELECT entity, run, first_ms, last_ms FROM gpu_seen WHERE {_OF_RUNS}
        UNION ALL
        SELECT * FROM ({_STRETCH} quarter AS due CROSS JOIN tick AS t ON t.tick_ms > due.quarter_ms
            AND t.tick_ms <= due.quarter_ms + {QUARTER_MS} AND +t.run = due.run {_ENTRIES}
            WHERE due.rolled = 0 GROUP BY 1, 2)
        WHERE {_OF_RUNS}
    ) GROUP BY entity, run ORDER BY entity, run"""


def keep_seen(connection: sqlite3.Connection, run: int, first_ms: int, end_ms: int) -> None:
    """Take up what the raw rows of a run's ticks in (first_ms, end_ms] say: when those quarter hours are rolled up."""
    connection.execute(_KEEP, {"first": first_ms, "end": end_ms, "run": run})


def add_seen(connection: sqlite3.Connection, seen: Collection[Seen]) -> None:
    """Take up what another store says."""
    connection.executemany(_ADD, seen)


def read_seen(connection: sqlite3.Connection, runs: Collection[int] | None) -> list[Seen]:
    """Of every GPU in every run. Call inside a read transaction."""
    within = {"runs": None if runs is None else json.dumps(sorted(runs))}
    return [Seen(*row) for row in connection.execute(_SEEN, within)]
