"""A new store made of parts of others: rows with their sums as they are given, one file that is whole or not there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final

from msgspec.structs import replace

from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.entries import Entity, Event, Run, TickRecord
from tokwatch.store import quarters, rows
from tokwatch.store.connection import open_for_writing
from tokwatch.store.errors import StoreError
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.mutes import add_mute
from tokwatch.store.named_sessions import NamedSession, insert_session
from tokwatch.store.quarters import Quarters, insert_quarters
from tokwatch.store.rows import PriceClose, PriceVersion
from tokwatch.store.sealing import seal_all
from tokwatch.store.seen import Seen, add_seen
from tokwatch.store.validation import check_record

_PAGE_BYTES: Final = 1024  # most tables of a small file are empty, and each takes a page


class StoreCopy:
    """A store that is being written under a name of its own; `path` is it only once the block ended without an error.

    Ids are those that the caller gives. Nothing is rolled up here: what is written as sums is what was given as sums.
    Raises StoreError where the file cannot be written, ValueError for what does not fit a store.
    """

    def __init__(self, path: Path, *, replaces: bool = False) -> None:
        """replaces: a file that is there already gives way, at the end."""
        if path.exists() and not replaces:
            raise StoreError(f"{path} is there already: name another file, or replace it with --force")
        self._path = path
        self._unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._remove_unfinished()
        try:
            self._connection = open_for_writing(self._unfinished)
        except StoreError as error:
            self._remove_unfinished()
            reason = error.__cause__  # its own words are about another file
            words = reason.strerror if isinstance(reason, OSError) else reason
            raise StoreError(f"cannot write {path}: {words or error}") from error
        self._codec = HistogramCodec(self._connection)
        # A file that is thrown away when anything goes wrong needs no journal for that.
        self._connection.execute("PRAGMA journal_mode = OFF")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("BEGIN IMMEDIATE")

    def __enter__(self) -> StoreCopy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except sqlite3.Error as failure:
            raise StoreError(f"cannot write {self._path}: {failure}") from failure
        finally:
            self._connection.close()
            self._remove_unfinished()
        if isinstance(error, sqlite3.Error):
            raise StoreError(f"cannot write {self._path}: {error}") from error

    def add_run(self, run: Run) -> None:
        self._connection.execute(
            "INSERT INTO run (id, kind, host, boot_id, version, timezone, started_ms, source) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (run.id, run.kind, run.host, run.boot_id, run.version, run.timezone, run.started_ms, run.source),
        )

    def add_entities(self, entities: Iterable[Entity]) -> None:
        rows.insert_entities(self._connection, entities)

    def add_record(self, record: TickRecord) -> None:
        """One tick with its events. Its entities and absolutes are left out."""
        check_record(record, None)
        tick_ms = record.tick.tick_ms
        reaches_ms = quarters.reaches_ms(tick_ms, chain(record.gpus, record.flows, record.hosts))
        rows.insert_tick(self._connection, record.tick, reaches_ms)
        rows.GPU_ROWS.insert(self._connection, self._codec, tick_ms, record.gpus)
        rows.SERVER_ROWS.insert(self._connection, self._codec, tick_ms, record.servers)
        rows.FLOW_ROWS.insert(self._connection, self._codec, tick_ms, record.flows)
        rows.HOST_ROWS.insert(self._connection, self._codec, tick_ms, record.hosts)
        rows.insert_events(self._connection, record.tick.run, record.events)

    def free_place(self, tick_ms: int) -> int:
        """The first millisecond from then on that no tick has."""
        while self._connection.execute("SELECT 1 FROM tick WHERE tick_ms = ?", (tick_ms,)).fetchone():
            tick_ms += 1
        return tick_ms

    def add_events(self, run: int, events: Iterable[Event]) -> None:
        """Events whose ticks are not in this store."""
        rows.insert_events(self._connection, run, events)

    def add_quarters(self, sums: Quarters) -> None:
        """Quarter hours of runs that have no rows of those yet."""
        insert_quarters(self._connection, self._codec, sums)
        self._connection.executemany(
            "INSERT OR IGNORE INTO quarter (quarter_ms, run, rolled) VALUES (?, ?, 1)",
            {
                *((row.quarter_ms, row.run) for row in sums.gpus),
                *((row.quarter_ms, row.run) for row in (*sums.flows, *sums.elsewhere)),
                *((row.quarter_ms, row.run) for row in sums.hosts),
            },
        )

    def add_seen(self, seen: Collection[Seen]) -> None:
        """From when to when GPUs were there to be watched."""
        add_seen(self._connection, seen)

    def add_price(self, version: PriceVersion) -> None:
        """With its id: events of money refer to it."""
        made = rows.insert_price(self._connection, version)
        self._connection.execute("UPDATE price_version SET id = ? WHERE id = ?", (version.id, made.id))

    def add_close(self, close: PriceClose) -> None:
        self._connection.execute(
            "INSERT INTO price_close (month, last_version, closed_ms) VALUES (?, ?, ?)",
            (close.month, close.last_version, close.closed_ms),
        )

    def add_mute(self, mute: Mute) -> None:
        """It gets an id of its own."""
        add_mute(self._connection, replace(mute, id=0))

    def name_session(self, session: NamedSession) -> None:
        insert_session(self._connection, session)

    def note(self, key: str, value: str) -> None:
        """Something about the file itself."""
        self._connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))

    def _finish(self) -> None:
        self._connection.execute("COMMIT")
        seal_all(self._connection)
        self._connection.execute("PRAGMA journal_mode = DELETE")  # so that it opens anywhere, read-only directories too
        self._connection.execute("PRAGMA auto_vacuum = NONE")  # a file that is not written to needs no map of its pages
        self._connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        self._connection.execute("VACUUM")
        self._connection.close()
        descriptor = os.open(self._unfinished, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, 0o600)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.replace(self._unfinished, self._path)
        except OSError as error:
            raise StoreError(f"cannot write {self._path}: {error.strerror}") from error

    def _remove_unfinished(self) -> None:
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(FileNotFoundError):
                self._unfinished.with_name(self._unfinished.name + ending).unlink()
