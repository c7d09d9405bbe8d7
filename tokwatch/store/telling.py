"""What people tell a store from a process that does not record: one short transaction beside the recorder's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tokwatch.store.connection import open_for_writing
from tokwatch.store.errors import StoreError


@contextmanager
def telling(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction on a store that exists; kept when the block ends, undone when it raises.

    Raises StoreError where the store cannot be written, or stays busy for as long as SQLite waits.
    """
    if not path.exists():
        raise StoreError(f"no store at {path}. Start one with `tokwatch record`, or name another with --store FILE.")
    connection = open_for_writing(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise StoreError(f"cannot write the store {path}: {error}") from error
    finally:
        connection.close()  # rolls back what was not committed
