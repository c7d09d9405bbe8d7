"""Series of events: every kind, entity and key that has one, found by index seeks however many events there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Any, Final

# Not `(kind, entity, key) > (?, ?, ?)`: that walks all events of the series it stands at.
_NEXT_KIND: Final = "SELECT kind FROM event WHERE kind > ? ORDER BY kind LIMIT 1"
_NEXT_ENTITY: Final = "SELECT entity FROM event WHERE kind = ? AND entity > ? ORDER BY entity LIMIT 1"
_FIRST_KEY: Final = "SELECT key FROM event WHERE kind = ? AND entity = ? ORDER BY key LIMIT 1"
_NEXT_KEY: Final = "SELECT key FROM event WHERE kind = ? AND entity = ? AND key > ? ORDER BY key LIMIT 1"


def event_series(connection: sqlite3.Connection, kinds: Collection[str] | None) -> Iterator[tuple[str, int, str]]:
    """(kind, entity, key) in that order; of some kinds, or of all."""
    for kind in _each(connection, _NEXT_KIND, ("",)) if kinds is None else sorted(set(kinds)):
        for entity in _each(connection, _NEXT_ENTITY, (kind, -1)):
            for (key,) in connection.execute(_FIRST_KEY, (kind, entity)).fetchall():
                yield kind, entity, key
                for later in _each(connection, _NEXT_KEY, (kind, entity, key)):
                    yield kind, entity, later


def _each(connection: sqlite3.Connection, next_one: str, after: tuple[Any, ...]) -> Iterator[Any]:
    """The values of a column one after another, each found by a seek beyond the one before."""
    while (row := connection.execute(next_one, after).fetchone()) is not None:
        yield row[0]
        after = (*after[:-1], row[0])
