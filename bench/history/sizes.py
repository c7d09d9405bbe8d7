"""How many bytes of a store each of its levels takes, by pages: what SQLite itself needs is in it."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

_LEVELS = {"_raw": "raw", "_chunk": "sealed", "_minute": "minutes", "_quarter": "quarters"}
_KINDS = ("gpu", "server", "flow", "host")


def level_bytes(store: Path) -> dict[str, int]:
    """Bytes by level, "raw" and "sealed" with the ticks they rest on: also "minutes", "quarters", "events", "free"."""
    with closing(sqlite3.connect(store)) as connection:
        tables = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type IN ('table', 'index')"))
        found: dict[str, int] = defaultdict(int)
        for name, bytes_ in connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
            found[_level(tables.get(name, name))] += bytes_
        pages, page_bytes = (connection.execute(f"PRAGMA {of}").fetchone()[0] for of in ("freelist_count", "page_size"))
        found["free"] = pages * page_bytes
    return dict(found)


def table_bytes(store: Path, level: str) -> dict[str, int]:
    """Bytes of each table of one level, indexes included: "ticks", "gpu", "server", "flow", "host"."""
    with closing(sqlite3.connect(store)) as connection:
        tables = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type IN ('table', 'index')"))
        found: dict[str, int] = defaultdict(int)
        for name, bytes_ in connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"):
            table = tables.get(name, name)
            if _level(table) == level:
                found[table.partition("_")[0] if table.startswith(_KINDS) else "ticks"] += bytes_
    return dict(found)


def _level(table: str) -> str:
    if table in ("tick", "tick_chunk", "chunk_layout"):
        return "raw" if table == "tick" else "sealed"
    if table == "event":
        return "events"
    return next((level for suffix, level in _LEVELS.items() if table.endswith(suffix)), "other")
