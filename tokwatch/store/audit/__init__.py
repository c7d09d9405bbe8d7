"""Checks of a whole store, all of it read: each finding says what, where and what to do. Changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from collectors.labels import clean_label
from tokwatch.store.audit.bodies import check_bodies
from tokwatch.store.audit.file import check_file
from tokwatch.store.audit.finding import DAMAGED, Finding, Verdict
from tokwatch.store.audit.levels import check_levels, measure_levels
from tokwatch.store.audit.subject import subject_of
from tokwatch.store.audit.walk import check_entries
from tokwatch.store.connection import open_for_reading
from tokwatch.store.errors import StoreError

__all__ = ["Finding", "Verdict", "audit"]


def audit(path: Path, *, full: bool = False, progress: Callable[[float], None] = lambda _: None) -> Iterator[Finding]:
    """Every check in turn, one state of the store for all, beside a recorder too. A damaged store gives findings.

    full: with SQLite's slower check of indices. progress: is told how much is done, from 0 to 1.
    """
    try:
        connection = open_for_reading(path)
    except (StoreError, UnicodeDecodeError) as error:  # the latter of a schema that is no text
        yield Finding("store.file", "fail", _words(error))
        return
    with closing(connection):
        yield Finding("store.file", "pass", str(path))
        connection.execute("PRAGMA trusted_schema = OFF")  # the file may be somebody else's
        connection.execute("BEGIN")  # closing the connection ends it
        yield from _guarded("store.integrity", partial(check_file, connection, path, full=full))
        yield from _guarded("store.file", partial(_check_content, connection, path, progress))


def _check_content(connection: sqlite3.Connection, path: Path, progress: Callable[[float], None]) -> Iterator[Finding]:
    subject = subject_of(path, connection)
    for check_id, check in (
        ("ticks.once", partial(check_levels, subject)),
        ("entries.readable", partial(check_entries, subject, progress)),
        ("events.bodies", partial(check_bodies, subject)),
        ("size.raw", partial(measure_levels, subject)),
    ):
        yield from _guarded(check_id, check)


def _guarded(check_id: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A file that is damaged where the check itself has to read ends that group of checks, not the audit."""
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - not swallowed: it is the finding; damaged bytes can make anything fail
        yield Finding(check_id, "fail", f"cannot be looked at: {_words(error)}", DAMAGED)


def _words(error: Exception) -> str:
    """What SQLite and the store say of themselves is enough; of other errors the kind is half of it."""
    words = str(error) if isinstance(error, StoreError | sqlite3.Error) else f"{type(error).__name__}: {error}"
    return clean_label(words, 1000)
