"""From when to when each GPU was there to be watched: what tells a gap from the time before and after it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import NamedTuple

from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT


class Seen(NamedTuple):
    """A GPU in one run: (first_ms, last_ms] holds everything that the run knows of it."""

    entity: int
    run: int
    first_ms: int
    last_ms: int


def read_seen(connection: sqlite3.Connection, runs: Collection[int] | None) -> list[Seen]:
    """Of every GPU in every run. Call inside a read transaction.

    Where raw rows are gone, only sums of the first and the last quarter hour are left: of the first one the end was
    watched, of the last one the beginning.
    """
    within = {"runs": None if runs is None else json.dumps(sorted(runs))}
    return [Seen(*row) for row in connection.execute(_SEEN, within)]


_ENTRIES = (
    f"FROM tick AS t CROSS JOIN gpu_raw AS e ON e.id = (t.tick_ms << {ENTITY_BITS}) + extreme.entity WHERE t.run ="
)
_OF_ALL = "observed_ms + gap_ms) FROM gpu_quarter AS q WHERE q.run = extreme.run AND q.entity = extreme.entity AND "
# Quarter hours that are still due have raw rows; those of an earlier roll-up no longer hold.
_SEEN = f"""
    WITH chosen AS (SELECT quarter_ms, run, rolled FROM quarter
        WHERE :runs IS NULL OR run IN (SELECT value FROM json_each(:runs))
    ), extreme AS (
        SELECT entity, run, min(quarter_ms) AS first, max(quarter_ms) AS last FROM gpu_quarter
        WHERE (quarter_ms, run) IN (SELECT quarter_ms, run FROM chosen WHERE rolled = 1) GROUP BY entity, run
    ), stretch AS (
        SELECT entity, run,
            coalesce(
                (SELECT t.tick_ms + t0 {_ENTRIES} extreme.run AND t.tick_ms > first
                    AND t.tick_ms <= first + {QUARTER_MS} ORDER BY t.tick_ms LIMIT 1),
                first + {QUARTER_MS} - (SELECT sum({_OF_ALL} q.quarter_ms = first)) AS first_ms,
            coalesce(
                (SELECT t.tick_ms + t1 {_ENTRIES} extreme.run AND t.tick_ms > last
                    AND t.tick_ms <= last + {QUARTER_MS} ORDER BY t.tick_ms DESC LIMIT 1),
                last + (SELECT sum({_OF_ALL} q.quarter_ms = last)) AS last_ms
        FROM extreme
        UNION ALL
        SELECT e.id & {ENTITY_LIMIT - 1}, t.run, t.tick_ms + t0, t.tick_ms + t1 FROM chosen
        JOIN tick AS t ON t.tick_ms > quarter_ms AND t.tick_ms <= quarter_ms + {QUARTER_MS} AND +t.run = chosen.run
        CROSS JOIN gpu_raw AS e ON e.id BETWEEN t.tick_ms << {ENTITY_BITS}
            AND (t.tick_ms << {ENTITY_BITS}) + {ENTITY_LIMIT - 1}
        WHERE rolled = 0
    )
    SELECT entity, run, min(first_ms), max(last_ms) FROM stretch GROUP BY entity, run ORDER BY entity, run"""
