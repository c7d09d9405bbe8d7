"""Lookup: reads what was kept from the store, with nothing but sqlite3, and never waits for anybody."""

from __future__ import annotations

import os
import sqlite3

from tokwatch.first_sight.kept import FRAME_KEY, LARGEST, SNAPSHOT_KEY, KeptFrame, decode

_WAIT_S = 0.02
_SYSTEM_STORE = "/var/lib/tokwatch/store.db"


def likely_store(named: str | None) -> str:
    """The store that the dashboard is most likely going to show.

    Where SQLite cannot share a file there the dashboard finds another one; first sight then finds nothing.
    """
    named = named or os.environ.get("TOKWATCH_STORE")
    if named:
        return os.path.expanduser(named)
    if os.access(_SYSTEM_STORE, os.R_OK):
        return _SYSTEM_STORE
    state = os.environ.get("XDG_STATE_HOME", "").strip() or os.path.expanduser("~/.local/state")
    return os.path.join(state, "tokwatch", "store.db")


def kept_frame(store: str) -> KeptFrame | None:
    """The frame kept in the store; None: there is none that this program can read."""
    text = _row(store, FRAME_KEY)
    try:
        return None if text is None else decode(text)
    except ValueError:  # of another version, or damaged: the header alone is shown
        return None


def kept_snapshot(store: str) -> str | None:
    """What the frame was drawn from, as it was packed."""
    return _row(store, SNAPSHOT_KEY)


def _row(store: str, key: str) -> str | None:
    if not os.path.isfile(store):
        return None
    path = os.path.abspath(store).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_WAIT_S)
    except sqlite3.Error:
        return None
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        row = connection.execute(
            "SELECT value FROM meta WHERE key = ? AND length(value) <= ?", (key, LARGEST)
        ).fetchone()
        return row[0] if row is not None and isinstance(row[0], str) else None
    except (sqlite3.Error, UnicodeDecodeError):  # no store, a damaged one, or one that this user may not read
        return None
    finally:
        connection.close()
