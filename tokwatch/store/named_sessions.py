"""Ranges that somebody named, and how far the sums of runs go whose ticks are gone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

import msgspec

_MOST_NAMES = 10_000  # of a file that anybody may have made


class NamedSession(msgspec.Struct, frozen=True):
    """Ticks in (from_ms, to_ms] of some runs."""

    name: str
    runs: tuple[int, ...]
    from_ms: int
    to_ms: int
    made_ms: int


def insert_session(connection: sqlite3.Connection, session: NamedSession) -> None:
    """Part of the caller's transaction. Raises sqlite3.IntegrityError for a name that is taken."""
    connection.execute(
        "INSERT INTO session (name, runs, from_ms, to_ms, made_ms) VALUES (?, ?, ?, ?, ?)",
        (session.name, json.dumps(session.runs), session.from_ms, session.to_ms, session.made_ms),
    )


def delete_session(connection: sqlite3.Connection, name: str) -> bool:
    """False when nothing has that name."""
    return connection.execute("DELETE FROM session WHERE name = ?", (name,)).rowcount > 0


def select_sessions(connection: sqlite3.Connection) -> list[NamedSession]:
    """In the order of their beginnings. Raises msgspec.DecodeError for a damaged row."""
    return [
        NamedSession(name, msgspec.json.decode(runs, type=tuple[int, ...]), from_ms, to_ms, made_ms)
        for name, runs, from_ms, to_ms, made_ms in connection.execute(
            "SELECT name, runs, from_ms, to_ms, made_ms FROM session ORDER BY from_ms, name LIMIT ?", (_MOST_NAMES,)
        )
    ]


def select_summed(connection: sqlite3.Connection, run: int, before_ms: int | None) -> list[int]:
    """Starts of the quarter hours that a run has sums of, those that end by `before_ms` where it is given."""
    rows: Iterable[tuple[int]] = connection.execute(
        "SELECT quarter_ms FROM quarter WHERE run = :run AND rolled = 1 "
        "AND (:before IS NULL OR quarter_ms + 900000 <= :before) ORDER BY quarter_ms",
        {"run": run, "before": before_ms},
    )
    return [quarter_ms for (quarter_ms,) in rows]


def select_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """What the file says about itself."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())
