"""Files from elsewhere: looked over before anything of them is believed. A file may be damaged, or made to do harm.

What a schema can do to its reader (triggers, views and columns that run code, tables that are none) is met by comparing
it with ours, text by text, before any of it is read; what rows can do (size, numbers that no time has) by limits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from collectors.labels import clean_label
from tokwatch.store import schema
from tokwatch.store.connection import open_for_reading
from tokwatch.store.errors import StoreError
from tokwatch.store.schema.objects import objects_of, our_objects

MOST_BYTES: Final = 64 << 30  # a year of a large host takes a tenth of it
READ_WHOLE_BYTES: Final = 256 << 20  # up to here every page is checked before the first one is believed

# Rows that are held in memory, and the longest texts in them.
_MOST_ROWS: Final = {
    "run": 20_000,
    "entity": 200_000,
    "histogram_edges": 10_000,
    "chunk_layout": 1_000,
    "price_version": 10_000,
    "price_close": 1_200,
    "mute": 100_000,
    "session": 10_000,
    "meta": 1_000,
}
_LONGEST: Final = {
    "run": {"kind": 32, "host": 4096, "boot_id": 256, "version": 256, "timezone": 64, "source": 1024},
    "entity": {"kind": 32, "host": 4096, "key": 8192},
    "histogram_edges": {"name": 256, "edges": 65_536},
    "chunk_layout": {"kind": 32, "columns": 65_536},
    "price_version": {"source": 256, "reason": 4096, "book": 16 << 20},
    "price_close": {"month": 7},
    "mute": {"body": 65_536},
    "session": {"name": 256, "runs": 65_536},
    "meta": {"key": 256, "value": 65_536},
    "event": {"kind": 64, "key": 4096, "body": 1 << 20},
}
_LAST_MS: Final = schema.TICK_LIMIT_MS - 1
# What must hold of every row; the rest is what a Snapshot of it shows, wrong as it may be.
_WITHIN: Final = {
    "run": f"started_ms BETWEEN 0 AND {_LAST_MS} AND id BETWEEN 1 AND 4294967295 "
    "AND kind IN ('recorded', 'imported', 'simulated')",
    "entity": "kind IN ('host', 'gpu', 'server', 'flow', 'group') "
    f"AND id BETWEEN 1 AND {schema.ENTITY_LIMIT - 1} AND parent BETWEEN 0 AND {schema.ENTITY_LIMIT - 1}",
    "tick": f"tick_ms BETWEEN 1 AND {_LAST_MS}",
    "tick_chunk": f"first_ms BETWEEN 1 AND {_LAST_MS} AND last_ms BETWEEN first_ms AND {_LAST_MS}",
    "price_version": f"effective_from_ms BETWEEN 0 AND {_LAST_MS} "
    f"AND coalesce(effective_to_ms, 0) BETWEEN 0 AND {_LAST_MS}",
    "price_close": "month GLOB '[12][0-9][0-9][0-9]-[01][0-9]' AND substr(month, 6) BETWEEN '01' AND '12'",
    "session": f"from_ms BETWEEN 0 AND {_LAST_MS} AND to_ms BETWEEN from_ms AND {_LAST_MS}",
    "quarter": f"quarter_ms BETWEEN 0 AND {_LAST_MS}",
}


def check_foreign(path: Path) -> None:
    """Look a store over that somebody else may have made. Raises StoreError that says what is wrong with it."""
    if not path.is_file():
        raise StoreError(f"{path} is no file")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise StoreError(f"{path} has {size >> 30} GiB, more than any store: it is not opened")
    with told_plainly(path), closing(open_for_reading(path)) as connection:
        _check_schema(connection, path)
        _check_rows(connection, path)
        if size <= READ_WHOLE_BYTES:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            if found != ["ok"]:
                raise StoreError(f"{path} is damaged: {clean_label('; '.join(found))}. Ask for it once more.")


@contextmanager
def told_plainly(path: Path, *, expected: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Around whatever reads a file from elsewhere: its rows may hold anything, so anything may fail on them.

    Raises StoreError in place of every error but the expected ones, which have words of their own.
    """
    try:
        yield
    except StoreError:
        raise
    except expected:
        raise
    except Exception as error:  # the boundary of what others made: whatever it is, it is told
        raise StoreError(
            f"{path} is damaged, or was not made by tokwatch: {type(error).__name__}: {clean_label(str(error))}. "
            "Ask for it once more."
        ) from error


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    theirs, ours = objects_of(connection), our_objects()
    for what in sorted(theirs.keys() - ours.keys()):
        raise StoreError(f"{path} holds {what[0]} {what[1]!r}, which no store of tokwatch has: it is not opened")
    for what in sorted(ours.keys() - theirs.keys()):
        raise StoreError(f"{path} lacks {what[0]} {what[1]!r}: it is damaged, or was not made by tokwatch")
    for what, sql in ours.items():
        if theirs[what] != sql:
            raise StoreError(f"{path} has another {what[0]} {what[1]!r} than a store of tokwatch: it is not opened")


def _check_rows(connection: sqlite3.Connection, path: Path) -> None:
    for table, most in _MOST_ROWS.items():
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        if count > most:
            raise StoreError(f"{path} has {count} rows in {table!r}, more than any store: it is not opened")
    for table, columns in _LONGEST.items():
        longest = ", ".join(f"coalesce(max(length({column})), 0)" for column in columns)
        for (column, most), found in zip(
            columns.items(), connection.execute(f"SELECT {longest} FROM {table}").fetchone(), strict=True
        ):
            if found > most:
                raise StoreError(f"{path} has a {column} of {found} characters in {table!r}: it is not opened")
    for table, holds in _WITHIN.items():
        if connection.execute(f"SELECT 1 FROM {table} WHERE ({holds}) IS NOT TRUE LIMIT 1").fetchone():
            raise StoreError(f"{path} has a row in {table!r} that cannot be: it is not opened")
