"""How long a GPU was in each state, of any stretch of time: whole quarters from their rows, the rest from raw rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby

from tokwatch.ledger.entries import Flag, State
from tokwatch.store.quarters import STATE_COLUMNS
from tokwatch.store.rollup import QUARTER_MS, quarter_of
from tokwatch.store.schema import ENTITY_BITS


def state_time(
    connection: sqlite3.Connection, entity: int, run: int, from_ms: int, to_ms: int, as_of_ms: int | None
) -> Iterator[tuple[int, int]]:
    """(State, milliseconds) within (from_ms, to_ms] of one run, gaps left out; a state may come several times.

    as_of_ms: what was known at that tick; entries of later ticks that reach back are left out. Call inside a read
    transaction.
    """
    for piece_from_ms, piece_to_ms, rolled in _pieces(connection, run, from_ms, to_ms, as_of_ms):
        if rolled:
            yield from _of_quarters(connection, entity, run, piece_from_ms, piece_to_ms)
        else:
            yield from _of_entries(connection, entity, run, piece_from_ms, piece_to_ms, as_of_ms)


def _pieces(
    connection: sqlite3.Connection, run: int, from_ms: int, to_ms: int, as_of_ms: int | None
) -> Iterator[tuple[int, int, bool]]:
    """(from_ms, to_ms] cut into stretches that the run's quarter rows speak for, and others."""
    done_ms = from_ms
    # A quarter row may hold the beginning of an entry from after its end; one quarter later none can.
    rolled_to_ms = to_ms if as_of_ms is None else min(to_ms, as_of_ms - QUARTER_MS)
    whole = connection.execute(
        "SELECT quarter_ms FROM quarter WHERE run = ? AND rolled = 1 AND quarter_ms >= ? AND quarter_ms <= ? "
        "ORDER BY quarter_ms",
        (run, from_ms, rolled_to_ms - QUARTER_MS),
    ).fetchall()
    for _, stretch in groupby(enumerate(whole), lambda numbered: numbered[1][0] - numbered[0] * QUARTER_MS):
        quarters = [quarter_ms for _, (quarter_ms,) in stretch]
        if done_ms < quarters[0]:
            yield done_ms, quarters[0], False
        done_ms = quarters[-1] + QUARTER_MS
        yield quarters[0], done_ms, True
    if done_ms < to_ms:
        yield done_ms, to_ms, False


def _of_quarters(
    connection: sqlite3.Connection, entity: int, run: int, from_ms: int, to_ms: int
) -> Iterator[tuple[int, int]]:
    sums = ", ".join(f"coalesce(sum({column}), 0)" for column in STATE_COLUMNS)
    row = connection.execute(
        f"SELECT {sums} FROM gpu_quarter WHERE quarter_ms >= ? AND quarter_ms < ? AND run = ? AND entity = ?",
        (from_ms, to_ms, run, entity),
    ).fetchone()
    return ((state.value, ms) for state, ms in zip(State, row, strict=True))


def _of_entries(
    connection: sqlite3.Connection, entity: int, run: int, from_ms: int, to_ms: int, as_of_ms: int | None
) -> list[tuple[int, int]]:
    # An entry in the range may be of a later tick: of the same quarter hour, or of one that says it reaches back.
    return connection.execute(
        "SELECT state, sum(min(t.tick_ms + t1, :to) - max(t.tick_ms + t0, :from)) FROM tick AS t "
        f"CROSS JOIN gpu_raw AS e ON e.id = (t.tick_ms << {ENTITY_BITS}) + :entity "
        "WHERE t.run = :run AND t.tick_ms > :from AND (t.tick_ms <= :edge OR t.reaches_ms < :edge) "
        "AND (:as_of IS NULL OR t.tick_ms <= :as_of) AND t.tick_ms + t0 < :to AND t.tick_ms + t1 > :from "
        "AND e.flags & :gap = 0 GROUP BY state",
        {
            "entity": entity,
            "run": run,
            "from": from_ms,
            "to": to_ms,
            "edge": quarter_of(to_ms) + QUARTER_MS,
            "gap": Flag.GAP.value,
            "as_of": as_of_ms,
        },
    ).fetchall()
