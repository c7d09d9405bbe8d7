"""The file as SQLite sees it: its own integrity checks, the schema, free pages and the write-ahead log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tokwatch.store import schema
from tokwatch.store.audit.finding import Faults, Finding, amount
from tokwatch.store.schema.objects import objects_of, our_objects

_WAL_LARGE_BYTES: Final = 256 << 20  # four times what a recorder keeps of it
_FREE_LARGE: Final = 0.5


def check_file(connection: sqlite3.Connection, path: Path, *, full: bool) -> Iterator[Finding]:
    """full: SQLite's integrity_check, which also compares every index with its table."""
    yield _integrity(connection, full=full)
    yield _foreign_keys(connection)
    yield _schema(connection)
    yield _pages(connection, path)


def _integrity(connection: sqlite3.Connection, *, full: bool) -> Finding:
    check = "integrity_check" if full else "quick_check"
    faults = Faults("store.integrity")
    for (words,) in connection.execute(f"PRAGMA {check}(100)"):
        if words != "ok":
            faults.add(str(words).replace("\n", " "))
    return faults.finding(f"SQLite's {check} finds nothing")


def _foreign_keys(connection: sqlite3.Connection) -> Finding:
    faults = Faults("store.references")
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        where = table if row is None else f"{table} row {row}"
        faults.add(f"{where} names a {parent} that is not there")
    return faults.finding("every row that is referred to is there")


def _schema(connection: sqlite3.Connection) -> Finding:
    faults = Faults("store.schema", "a table or view was changed from outside: copy the rows into a store of ours")
    ours, here = our_objects(), objects_of(connection)
    for what in sorted(ours.keys() | here.keys()):
        name = what[1]
        if what not in here:
            faults.add(f"{name} is missing")
        elif what not in ours:
            faults.add(f"{name} is none of ours")
        elif ours[what] != here[what]:
            faults.add(f"{name} is defined in another way")
    return faults.finding(f"version {schema.SCHEMA_VERSION}, {amount(len(ours), 'table')}, views and indices included")


def _pages(connection: sqlite3.Connection, path: Path) -> Finding:
    pages, free, page_bytes = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    wal = path.with_name(path.name + "-wal")
    wal_bytes = wal.stat().st_size if wal.exists() else 0
    found = (
        f"{pages * page_bytes / 1e6:.1f} MB, {free * page_bytes / 1e6:.1f} MB of it free; log {wal_bytes / 1e6:.1f} MB"
    )
    if wal_bytes > _WAL_LARGE_BYTES:
        hint = "a reader holds an old state open, or a recorder was killed: the next one that ends well shortens it"
        return Finding("store.pages", "warn", found, hint)
    if free > _FREE_LARGE * pages and free * page_bytes > _WAL_LARGE_BYTES:
        return Finding("store.pages", "warn", found, "a recorder gives free pages back by and by; VACUUM does at once")
    return Finding("store.pages", "pass", found)
