"""A Box's records in a store, and the History over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ledger.box import Box
from tokwatch.feeds.history import History
from tokwatch.store.writer import Writer


@contextmanager
def stored(box: Box, folder: Path) -> Iterator[History]:
    """In `folder`/store.db."""
    store = folder / "store.db"
    writer = Writer(store)
    writer.open()
    assert writer.begin_run(box.run) == box.run
    for record in box.records:
        writer.submit(record)
    assert writer.close(30), writer.problem
    history = History(store)
    try:
        yield history
    finally:
        history.close()
