"""Where counters broke off: a restart, or a silence that nobody watched. Kept for ever with the counters themselves."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

from tokwatch.ledger.entries import Flag
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT

_BROKEN: Final = (Flag.RESET | Flag.GAP).value


class Break(NamedTuple):
    """The tick of an entry with Flag.RESET or Flag.GAP, and its flags."""

    tick_ms: int
    entity: int
    flags: int


def read_breaks(connection: sqlite3.Connection, from_ms: int, to_ms: int) -> list[Break]:
    """Those in (from_ms, to_ms], in order."""
    return [
        Break(*row)
        for row in connection.execute(
            f"SELECT id >> {ENTITY_BITS}, id & {ENTITY_LIMIT - 1}, flags FROM absolute "
            f"WHERE id >= (:from + 1) << {ENTITY_BITS} AND id < (:to + 1) << {ENTITY_BITS} AND flags & {_BROKEN} "
            "ORDER BY id",
            {"from": from_ms, "to": to_ms},
        )
    ]
