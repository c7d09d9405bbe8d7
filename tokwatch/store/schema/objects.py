"""What a schema is made of, to be compared: the SQL text of every table, index, view and trigger."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from functools import cache
from typing import Final

from tokwatch.store import schema

_OWN_BOOKKEEPING: Final = "_sqlite_migrations"  # of sqlite_utils, which words it as it likes; readers never read it
_STATISTICS: Final = frozenset({"sqlite_stat1", "sqlite_stat4"})  # of ANALYZE

Object = tuple[str, str, str, str | None]  # type, name, tbl_name, sql


def objects_of(connection: sqlite3.Connection) -> dict[tuple[str, str, str], str | None]:
    rows: list[Object] = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return {
        (type_, name, table): None if sql is None else re.sub(r"\s+", " ", sql)
        for type_, name, table, sql in rows
        if not _is_bookkeeping(type_, name, table, sql)
    }


def _is_bookkeeping(type_: str, name: str, table: str, sql: str | None) -> bool:
    """Tables that are never read here, and their own indices. A view, a trigger or a virtual table is none of them."""
    if type_ == "index":
        return table == _OWN_BOOKKEEPING and sql is None
    plain = type_ == "table" and name == table and sql is not None and sql.startswith("CREATE TABLE ")
    return plain and (name == _OWN_BOOKKEEPING or name in _STATISTICS)


@cache
def our_objects() -> dict[tuple[str, str, str], str | None]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        return objects_of(connection)
