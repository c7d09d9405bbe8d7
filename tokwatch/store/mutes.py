"""Mutes in the store. Rows are only ever added: a mute that is taken back is ended by a row of its own."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec
from msgspec.structs import replace

from tokwatch.ledger.alerts.mutes import Mute

_KEY: Final = ("id", "made_ms", "until_ms")  # columns of their own; the body has the rest


class _End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a row that ends an earlier mute at its made_ms."""

    ends: int


def add_mute(connection: sqlite3.Connection, mute: Mute) -> Mute:
    """Add a mute; its id is given here. Part of the caller's transaction."""
    told = msgspec.to_builtins(mute)
    body = msgspec.json.encode({key: value for key, value in told.items() if key not in _KEY}).decode()
    return replace(mute, id=_insert(connection, mute.made_ms, mute.until_ms, body))


def end_mute(connection: sqlite3.Connection, number: int, now_ms: int) -> bool:
    """Take a mute back from now on; False when there is none of this number in force."""
    if not any(mute.id == number and mute.in_force(now_ms) for mute in read_mutes(connection)):
        return False
    _insert(connection, now_ms, now_ms, msgspec.json.encode(_End(number)).decode())
    return True


def read_mutes(connection: sqlite3.Connection) -> list[Mute]:
    """Every mute that there ever was, in the order they were made, each until it expired or was taken back."""
    mutes: dict[int, Mute] = {}
    for number, made_ms, until_ms, body in connection.execute(
        "SELECT id, made_ms, until_ms, body FROM mute ORDER BY id"
    ):
        told = msgspec.json.decode(body)
        if "ends" in told:
            ended = mutes.get(msgspec.convert(told, _End).ends)
            if ended is not None:
                mutes[ended.id] = replace(ended, until_ms=min(ended.until_ms, made_ms))
        else:
            mutes[number] = msgspec.convert({**told, "id": number, "made_ms": made_ms, "until_ms": until_ms}, Mute)
    return list(mutes.values())


def _insert(connection: sqlite3.Connection, made_ms: int, until_ms: int, body: str) -> int:
    cursor = connection.execute(
        "INSERT INTO mute (made_ms, until_ms, body) VALUES (?, ?, ?)", (made_ms, until_ms, body)
    )
    assert cursor.lastrowid is not None  # it was an INSERT
    return cursor.lastrowid
