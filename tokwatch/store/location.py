"""Where the store lives: the place asked for, the system's, or the user's, and never on a network file system."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import sqlite3
import stat
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tokwatch.store.errors import StoreError

STORE_NAME: Final = "store.db"
SYSTEM_DIRECTORY: Final = Path("/var/lib/tokwatch")  # that of the shipped systemd unit
_MOUNTINFO: Final = Path("/proc/self/mountinfo")

# WAL shares memory between processes of one machine: on these the first write fails, or worse, does not.
_NETWORK_TYPES: Final = ("nfs*", "lustre", "gpfs", "beegfs*", "ceph", "cifs", "smb*", "9p", "afs", "fuse.*")
# Of these it is known that WAL works; any other type is tried out.
_LOCAL_TYPES: Final = frozenset(
    ("ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "overlay", "tmpfs", "ramfs", "rootfs")
)


@dataclass(frozen=True, slots=True)
class StoreChoice:
    path: Path
    message: str | None = None  # what the user should know about it; None: nothing


def choose_store(
    flag: Path | None,
    *,
    system_directory: Path = SYSTEM_DIRECTORY,
    user_directory: Path | None = None,
    local_directory: Path | None = None,
    mountinfo: Path = _MOUNTINFO,
) -> StoreChoice:
    """The store to record into: `flag`, else the system's where this user may write there, else the user's own.

    A place on a network file system, or on one that SQLite cannot share a file on, is replaced by one of this machine,
    and the message says so. Leaves nothing behind but that replacement's directory. Raises StoreError where that
    directory is not safely ours.
    """
    if flag is not None:
        wanted = flag.expanduser().absolute()
    elif system_directory.is_dir() and os.access(system_directory, os.W_OK | os.X_OK):
        wanted = system_directory / STORE_NAME
    else:
        wanted = (user_directory or _users_own()) / STORE_NAME
    type_ = file_system(wanted, mountinfo)
    if not (_is_network(type_) or (type_ not in _LOCAL_TYPES and probed(wanted.parent) is False)):
        return StoreChoice(wanted)
    directory = local_directory or Path(f"/var/tmp/tokwatch-{os.getuid()}")
    _make_ours(directory)
    local = directory / (STORE_NAME if flag is None else _name_for(wanted))
    where = type_ or "an unknown file system"
    return StoreChoice(
        local,
        f"{wanted.parent} is on {where}, where SQLite cannot share a file safely: the store is {local} instead",
    )


def _users_own() -> Path:
    from platformdirs import user_state_path  # not needed where the store is named, as in the systemd unit

    return user_state_path("tokwatch")


def readable_system_store(system_directory: Path = SYSTEM_DIRECTORY) -> Path | None:
    """The store of the shipped systemd unit where this user may read it, as members of its group may; else None."""
    store = system_directory / STORE_NAME
    return store if os.access(store, os.R_OK) else None


def may_record_into(store: Path) -> bool:
    """This user may write the store that is there: the file, and beside it what SQLite needs."""
    return os.access(store, os.R_OK | os.W_OK) and os.access(store.parent, os.W_OK | os.X_OK)


def network_file_system(path: Path, mountinfo: Path = _MOUNTINFO) -> str | None:
    """The type of the network file system that holds `path` (which need not exist yet); None when it is local."""
    type_ = file_system(path, mountinfo)
    return type_ if _is_network(type_) else None


def _is_network(type_: str) -> bool:
    return any(fnmatch.fnmatchcase(type_, pattern) for pattern in _NETWORK_TYPES)


def probed(directory: Path) -> bool | None:
    """Whether two connections can share a WAL file there: tried on one that is thrown away.

    Tried in the nearest directory above that exists; None where this user may not write in it.
    """
    while not directory.is_dir():
        directory = directory.parent
    import tempfile  # half a megabyte that next to no recorder needs

    try:
        with tempfile.TemporaryDirectory(prefix=".tokwatch-", dir=directory) as folder:
            return shares_wal(Path(folder) / "probe.db")
    except OSError:
        return None


def shares_wal(path: Path) -> bool:
    """Whether what one connection writes into a new WAL file there, another one reads."""
    try:
        with closing(sqlite3.connect(path, timeout=0)) as writing, closing(sqlite3.connect(path, timeout=0)) as reading:
            mode = writing.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            writing.execute("CREATE TABLE probe (value)")
            writing.execute("INSERT INTO probe VALUES (42)")
            writing.commit()
            return mode == "wal" and reading.execute("SELECT value FROM probe").fetchall() == [(42,)]
    except sqlite3.Error:
        return False


def file_system(path: Path, mountinfo: Path = _MOUNTINFO) -> str:
    """The type of the file system that holds `path` (which need not exist yet), as the kernel calls it; "" unknown."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""  # no /proc: nothing is known against the place
    real = Path(os.path.realpath(path))
    deepest, type_ = -1, ""
    for line in lines:
        mount, _, file_system = line.partition(" - ")
        fields = mount.split(" ")
        point = Path(_unescaped(fields[4]))
        # Of two mounts at one point the later one hides the earlier.
        if len(point.parts) >= deepest and real.is_relative_to(point):
            deepest, type_ = len(point.parts), file_system.split(" ")[0]
    return type_


def _unescaped(text: str) -> str:
    """mountinfo writes space, tab, newline and backslash as three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def _name_for(wanted: Path) -> str:
    """Two places that are both replaced must not meet in one file."""
    return f"{wanted.stem}-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:8]}.db"


def _make_ours(directory: Path) -> None:
    """/var/tmp is everybody's: a directory somebody else made there first is not to be trusted."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise StoreError(
            f"cannot make {directory}: {error.strerror}. Name a place on a local disk with --store FILE."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StoreError(f"{directory} is not a private directory of yours. Name a local place with --store FILE.")
