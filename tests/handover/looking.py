"""A shared file looked into: all its bytes, whatever is packed in them, and what a replay of it shows."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.ledger.snapshot import canonical_json
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import Session, sessions


def everything_in(path: Path) -> bytes:
    """The file's bytes, and those of every blob in it, unpacked where it is packed."""
    found = [path.read_bytes()]
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):
                found += [each for value in row for each in _bytes_of(value)]
    return b"\n".join(found)


def _bytes_of(value: object) -> Iterator[bytes]:
    if isinstance(value, str):
        yield value.encode()
    elif isinstance(value, bytes):
        yield value
        for start in range(min(16, len(value))):  # a packed body may have a head
            for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
                try:
                    yield zlib.decompressobj(window).decompress(value[start:], 1 << 20)
                except zlib.error:
                    continue


def sessions_of(path: Path) -> list[Session]:
    with Reader(path) as reader:
        return sessions(reader)


def snapshots(path: Path, session: Session, *, named: str | None = None) -> Iterator[dict[str, Any]]:
    """Every Snapshot of a session, as decoded JSON. named: as if the session were called so."""
    with Reader(path) as reader:
        run = next(run for run in reader.runs() if run.id == session.runs[-1])
    cursor = Cursor(History(path, run), from_ms=session.from_ms, to_ms=session.to_ms)
    try:
        cursor.seek(session.from_ms)
        while (shown := cursor.snapshot("replay", session.id if named is None else named)) is not None:
            yield msgspec.json.decode(canonical_json(shown))
            if not cursor.step(1):
                return
    finally:
        cursor.close()
