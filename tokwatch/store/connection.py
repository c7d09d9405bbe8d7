"""Opening the SQLite file: modes, pragmas, and whether it is ours to read or to write."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from tokwatch.store import schema
from tokwatch.store.errors import StoreError

_BUSY_S = 5.0  # how long a writer waits for another process's commit (an import beside the recorder)
# The -wal is copied into the store at every 4 MB (SQLite's default) and cut back to that after a larger transaction.
_WAL_KEEP_BYTES = 4 << 20
_CACHE_KIB = 1024  # half of SQLite's default: a recorder appends, and its memory is counted
_LONGEST_VALUE_BYTES = 64 << 20  # of what is read
_OURS, _GROUPS = 0o600, 0o040


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Connection in autocommit mode to a store of our version, created or migrated where needed.

    Raises StoreError: no right to write there, not a tokwatch store, or one of a newer version.
    """
    try:
        _create_private(path)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error
    connection = _connect(path.absolute().as_uri() + "?mode=rw", path)
    try:
        version = _version(connection, path)
        if version > schema.SCHEMA_VERSION:
            raise _newer(path, version)
        if version == 0:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only takes hold before the first table
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEEP_BYTES}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA foreign_keys = ON")
        if version < schema.SCHEMA_VERSION:
            schema.migrate(connection)
        connection.execute("BEGIN IMMEDIATE")  # a read-only directory shows only at the first write
        connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        connection.close()
        raise _unwritable(path, str(error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Read-only connection; works while a recorder writes, and on a store in a read-only directory.

    Raises StoreError: no such store, not a tokwatch store, or one of another version.
    """
    if not path.exists():
        raise StoreError(f"no store at {path}. Start one with `tokwatch record`, or name another with --store FILE.")
    how = "?mode=ro&immutable=1" if _is_still(path) else "?mode=ro"
    connection = _connect(path.absolute().as_uri() + how, path)
    try:
        _distrust(connection)
        version = _version(connection, path)
    except BaseException:
        connection.close()
        raise
    if version == schema.SCHEMA_VERSION:
        return connection
    connection.close()
    if version > schema.SCHEMA_VERSION:
        raise _newer(path, version)
    if version == 0:
        raise StoreError(f"{path} is empty: nothing was ever recorded into it")
    raise StoreError(
        f"{path} has schema version {version}, this tokwatch reads {schema.SCHEMA_VERSION}. "
        f"Open it once with `tokwatch record --store {path}`, which brings it up to date."
    )


@contextlib.contextmanager
def one_state(connection: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one state of the store; within another one it is that one's."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("COMMIT")


def _is_still(path: Path) -> bool:
    """A WAL file in a directory where no -shm can be made does not open with mode=ro, only as immutable.

    That is safe only while nobody writes: no -wal beside it, and no right to make one.
    """
    return not os.access(path.parent, os.W_OK) and not path.with_name(path.name + "-wal").exists()


def close_writing(connection: sqlite3.Connection) -> None:
    """Close, with all that is in the -wal brought into the file: what somebody copies then is whole."""
    # A reader in the middle of something, or a full disk, keeps that from being done now. Nothing is lost by it: the
    # -wal stays beside the file, and the next recorder brings it in.
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _distrust(connection: sqlite3.Connection) -> None:
    """A store that is read may have come from anywhere: its schema runs nothing, and no value takes all memory."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA query_only = ON")


def _create_private(path: Path) -> None:
    missing = [directory for directory in (path.parent, *path.parent.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=0o700)
        directory.chmod(0o700)  # whatever the umask took away
    # Only when new: closing a descriptor of an open SQLite file would drop this process's locks on it.
    if not path.exists():
        parent = path.parent.stat()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OURS)
        try:
            if _is_a_groups(parent):
                if os.geteuid() == 0:
                    os.fchown(descriptor, parent.st_uid, parent.st_gid)
                os.fchmod(descriptor, _OURS | _GROUPS)
            else:
                os.fchmod(descriptor, _OURS)
            # SQLite gives -wal and -shm the same mode, and made by root the same owner.
        finally:
            os.close(descriptor)


def _is_a_groups(directory: os.stat_result) -> bool:
    """A directory that somebody gave to a group and to nobody else, as 2750: its members may read what is in it.

    The set-group-ID bit tells it from a home directory that merely has a generous umask.
    """
    wanted = stat.S_ISGID | stat.S_IRGRP | stat.S_IXGRP
    return directory.st_mode & wanted == wanted and not directory.st_mode & stat.S_IRWXO


def _connect(uri: str, path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_BUSY_S)
    except sqlite3.Error as error:
        raise StoreError(f"cannot open the store {path}: {error}. Name another with --store FILE.") from error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The schema version; 0 for a file nothing was written to yet."""
    try:
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged schema may be no text
        raise StoreError(f"cannot read the store {path}: {error}. Name another with --store FILE.") from error
    # sqlite_utils makes its own table before the first step: a crash in between leaves that one alone.
    if application == schema.APPLICATION_ID or (application == 0 and version == 0 and tables == 0):
        return version
    if application == 0 and version == 0 and _only_migrations(connection):
        return 0
    raise StoreError(f"{path} is a SQLite file of another program. Name another store with --store FILE.")


def _only_migrations(connection: sqlite3.Connection) -> bool:
    rows = connection.execute("SELECT DISTINCT tbl_name FROM sqlite_master").fetchall()
    return rows == [("_sqlite_migrations",)]


def _unwritable(path: Path, reason: str) -> StoreError:
    return StoreError(f"cannot write the store {path}: {reason}. Name a place you may write to with --store FILE.")


def _newer(path: Path, version: int) -> StoreError:
    return StoreError(
        f"{path} was written by a newer tokwatch: its schema version is {version}, this one knows "
        f"{schema.SCHEMA_VERSION}. Update tokwatch, or name another store with --store FILE."
    )
