"""Stores of hosts that are read through a Prometheus: private, small, and gone when nobody looks any more."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tokwatch.config.retention import RetentionSection
from tokwatch.store.errors import StoreError
from tokwatch.store.lock import who_records

# A day of 8 GPUs every 15 s is 5 MB. The server keeps the past: what is here only saves asking for it again.
RETENTION: Final = RetentionSection(raw_hours=24, history_days=7, minutes_days=30, size_gb=0.5)
_UNUSED_S: Final = 30 * 86_400
_MOST_BYTES: Final = 4_000_000_000  # of all of them
_BESIDE: Final = ("", "-wal", "-shm")  # what SQLite keeps beside a store


def cache_store(url: str, host: str, *, selector: str = "", directory: Path | None = None) -> Path:
    """The store of a host behind a server, in a directory that only this user may read. selector: what was asked for
    beside the host, which may be the cluster that tells it from another.

    Stores that nobody has written for 30 days are removed, and the oldest while all of them are over 4 GB.
    Raises StoreError where there can be no such directory.
    """
    if directory is None:
        from platformdirs import user_cache_path

        directory = user_cache_path("tokwatch") / "prometheus"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        _clear(directory)
    except OSError as error:
        raise StoreError(f"cannot keep stores in {directory}: {error.strerror}; name one with --store FILE") from error
    digest = hashlib.sha256("\n".join(filter(None, (url, host, selector))).encode()).hexdigest()[:16]
    return directory / f"{_slug(host)}-{digest}.db"


def bounded(retention: RetentionSection) -> RetentionSection:
    """What is kept there: no more than the user keeps elsewhere."""
    size_gb = min(size for size in (retention.size_gb, RETENTION.size_gb) if size is not None)
    return replace(RETENTION, size_gb=size_gb)


def _clear(directory: Path) -> None:
    """Those that are old go, and the oldest of those that are too many."""
    oldest_s, kept_bytes = time.time() - _UNUSED_S, 0
    for written_s, files in sorted(map(_files, directory.glob("*.db")), reverse=True):
        kept_bytes += sum(path.stat().st_size for path in files)
        if (written_s < oldest_s or kept_bytes > _MOST_BYTES) and who_records(files[0]) is None:
            for path in reversed(files):
                path.unlink(missing_ok=True)


def _files(store: Path) -> tuple[float, list[Path]]:
    """(when it was written, Unix s; the store and what SQLite keeps beside it)"""
    files = [path for suffix in _BESIDE if (path := store.with_name(store.name + suffix)).exists()]
    return max(path.stat().st_mtime for path in files), files


def _slug(host: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", host.lower()).strip("-.")[:40] or "host"
