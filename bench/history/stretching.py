"""A store of many days made of a few recorded hours: their rows copied forward in time, level by level.

Nothing of it is made up but the repetition. Chunks of entries refer to ticks by their place, so they are copied as they
are; of ticks the times are shifted, and so are the moments that events speak of. The result is what a recorder with
this retention leaves: the last day in raw rows, sealed history before that, minute rows, and quarter hours throughout.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tokwatch.store.columns import Columns, pack
from tokwatch.store.connection import open_for_writing
from tokwatch.store.retention import DAY_MS, Retention
from tokwatch.store.schema import ENTITY_BITS

_NS_PER_MS = 1_000_000
_ONCE = ("run", "entity", "histogram_edges", "chunk_layout", "price_version", "absolute_latest")
_KINDS = ("gpu", "server", "flow", "host")
_RAW = ("tick", *(f"{kind}_raw" for kind in _KINDS))
_SEALED = ("tick_chunk", *(f"{kind}_chunk" for kind in _KINDS), "absolute")
_MINUTES = ("gpu_minute", "flow_minute", "flow_elsewhere_minute", "host_minute")
_QUARTERS = ("quarter", "gpu_quarter", "flow_quarter", "flow_elsewhere_quarter", "host_quarter")
_SHIFTED = ("tick_ms", "wall_ms", "first_ms", "last_ms", "reaches_ms", "minute_ms", "quarter_ms")
_IN_NS = ("boottime_ns", "at_ns")
_MOMENT = re.compile(r"\b\d{13}\b")  # Unix milliseconds, until 2286
_TICK_MS, _REACHES_MS = "tick_ms", "reaches_ms"  # the columns of a tick chunk that are absolute


@dataclass(frozen=True, slots=True)
class Cycle:
    """What is repeated: the ticks of [begins_ms, begins_ms + length_ms), raw in one store and sealed in its copy."""

    raw: Path
    sealed: Path
    begins_ms: int
    length_ms: int


def stretch(cycle: Cycle, store: Path, days: float, retention: Retention) -> int:
    """Make a store of so many days; tick_ms of about its end."""
    rounds = round(days * DAY_MS / cycle.length_ms)
    end_ms = cycle.begins_ms + rounds * cycle.length_ms
    with closing(open_for_writing(store)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("ATTACH ? AS raw", (str(cycle.raw),))
        connection.execute("ATTACH ? AS sealed", (str(cycle.sealed),))
        layouts = dict(connection.execute("SELECT id, columns FROM sealed.chunk_layout"))
        connection.execute("BEGIN")
        for table in _ONCE:
            connection.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM sealed.{table}")
        for turn in range(rounds):
            shift_ms = turn * cycle.length_ms
            connection.create_function("shifted_body", 1, partial(_shift_moments, shift_ms, cycle))
            connection.create_function("shifted_ticks", 3, partial(_shift_ticks, shift_ms, layouts))
            age_ms = end_ms - (cycle.begins_ms + shift_ms + cycle.length_ms)
            for source, table in _levels(age_ms, retention):
                _copy(connection, source, table, shift_ms)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return end_ms


def _levels(age_ms: int, retention: Retention) -> Iterator[tuple[str, str]]:
    """Tables that still hold ticks of this age, and the store they are copied from."""
    if age_ms < retention.raw_ms:
        yield from (("raw", table) for table in _RAW)
    elif age_ms < retention.history_ms:
        yield from (("sealed", table) for table in _SEALED)
    if age_ms < retention.minutes_ms:
        yield from (("sealed", table) for table in _MINUTES)
    yield from (("sealed", table) for table in (*_QUARTERS, "event"))


def _copy(connection: sqlite3.Connection, source: str, table: str, shift_ms: int) -> None:
    names = [name for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})")]
    wanted = ", ".join(_expression(table, name, shift_ms) for name in names)
    # Counters as they stood are those of the first round everywhere: only as many as there would be.
    connection.execute(f"INSERT INTO main.{table} ({', '.join(names)}) SELECT {wanted} FROM {source}.{table}")


def _expression(table: str, column: str, shift_ms: int) -> str:
    """SQL of a column, shifted where it is a moment."""
    if column == "id":
        return f"id + {shift_ms << ENTITY_BITS}"
    if column in _SHIFTED:
        return f"{column} + {shift_ms}"
    if column in _IN_NS:
        return f"{column} + {shift_ms * _NS_PER_MS}"
    if column == "body" and table == "event":
        return "shifted_body(body)"
    if column == "body" and table == "tick_chunk":
        return "shifted_ticks(body, ticks, layout)"
    return column


def _shift_moments(shift_ms: int, cycle: Cycle, body: str) -> str:
    def shifted(found: re.Match[str]) -> str:
        at_ms = int(found[0])
        within = cycle.begins_ms <= at_ms <= cycle.begins_ms + cycle.length_ms
        return str(at_ms + shift_ms) if within else found[0]

    return _MOMENT.sub(shifted, body)


def _shift_ticks(shift_ms: int, layouts: dict[int, str], body: bytes, ticks: int, layout: int) -> bytes:
    names = json.loads(layouts[layout])
    found = Columns(body, ticks, len(names))
    columns = [
        [None if at_ms is None else at_ms + shift_ms for at_ms in found[place]]
        if name in (_TICK_MS, _REACHES_MS)
        else found[place]
        for place, name in enumerate(names)
    ]
    return pack(columns, found.tail)
