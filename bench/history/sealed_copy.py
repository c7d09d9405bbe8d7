"""A copy of a store in which every tick is sealed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tokwatch.store.connection import open_for_writing
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.rolling_up import RollUps
from tokwatch.store.sealing import seal_all


def sealed_copy(store: Path, copy: Path) -> Path:
    """Copy a store that nobody writes, roll up all of it and seal all of it."""
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with closing(open_for_writing(copy)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        RollUps(connection, HistogramCodec(connection)).close()
        connection.execute("COMMIT")
        seal_all(connection)
    return copy
