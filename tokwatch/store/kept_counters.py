"""Counters as they stood, looked up: the last that were kept of an entity at or before a moment."""

from __future__ import annotations

import sqlite3
from typing import Final, NamedTuple

import msgspec

from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT
from tokwatch.store.sealed import WINDOW_MS

_BACK_MS: Final = 2 * WINDOW_MS  # they are kept once a window, so an older one belongs to an earlier life


class KeptCounters(NamedTuple):
    """What stood at a tick. A sum that is told by ranks has a name a rank: "output_tokens@engine=1"."""

    tick_ms: int
    counters: dict[str, int]


def last_kept(connection: sqlite3.Connection, entity: int, at_or_before_ms: int) -> KeptCounters | None:
    """The newest within the last two windows; None where none was kept, or what is there cannot be read."""
    row = connection.execute(
        "SELECT id, counters FROM absolute WHERE id <= :to AND id > :from AND id & :entities = :entity "
        "ORDER BY id DESC LIMIT 1",
        {
            "to": (at_or_before_ms << ENTITY_BITS) + ENTITY_LIMIT - 1,
            "from": (at_or_before_ms - _BACK_MS) << ENTITY_BITS,
            "entities": ENTITY_LIMIT - 1,
            "entity": entity,
        },
    ).fetchone()
    if row is None:
        return None
    try:
        return KeptCounters(row[0] >> ENTITY_BITS, msgspec.json.decode(row[1], type=dict[str, int]))
    except msgspec.MsgspecError:  # damaged: `doctor` tells of it, here it is as if it were not kept
        return None
