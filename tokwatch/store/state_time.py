"""How long a GPU was in each state within any stretch of time: by whole quarter hours and minutes, else by entries."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby

from tokwatch.ledger.entries import Flag, State
from tokwatch.store.quarters import MINUTE, QUARTER, STATE_COLUMNS, Level
from tokwatch.store.rollup import LONGEST_IN_MINUTES_MS, MINUTE_MS, QUARTER_MS, quarter_of
from tokwatch.store.schema import ENTITY_BITS
from tokwatch.store.ticks import Ticks


def state_time(
    connection: sqlite3.Connection, ticks: Ticks, entity: int, run: int, from_ms: int, to_ms: int, as_of_ms: int | None
) -> Iterator[tuple[int, int]]:
    """(State, milliseconds) within (from_ms, to_ms] of one run, gaps left out; a state may come several times.

    as_of_ms: what was known at that tick; entries of later ticks that reach back are left out. Call inside a read
    transaction.
    """
    # A row may hold the beginning of an entry from after its end; one quarter later none can.
    rows_to_ms = to_ms if as_of_ms is None else min(to_ms, as_of_ms - QUARTER_MS)
    whole = connection.execute(
        "SELECT quarter_ms FROM quarter WHERE run = ? AND rolled = 1 AND quarter_ms >= ? AND quarter_ms <= ? "
        "ORDER BY quarter_ms",
        (run, from_ms, rows_to_ms - QUARTER_MS),
    )
    for first_ms, end_ms, by_quarters in _pieces((start_ms for (start_ms,) in whole), QUARTER_MS, from_ms, to_ms):
        if by_quarters:
            yield from _of_rows(connection, QUARTER, entity, run, first_ms, end_ms)
        else:
            yield from _of_parts(connection, ticks, entity, run, first_ms, end_ms, rows_to_ms, as_of_ms)


def _of_parts(
    connection: sqlite3.Connection,
    ticks: Ticks,
    entity: int,
    run: int,
    from_ms: int,
    to_ms: int,
    rows_to_ms: int,
    as_of_ms: int | None,
) -> Iterator[tuple[int, int]]:
    """Where no quarter hour is whole: whole minutes that have rows, and entries."""
    # A minute without a row of this GPU has no entry of it, or is of before there were minute rows, or they are gone.
    whole = connection.execute(
        "SELECT DISTINCT minute_ms FROM gpu_minute WHERE run = ? AND minute_ms >= ? AND minute_ms <= ? AND entity = ? "
        f"AND (minute_ms, run) NOT IN ({MINUTE.due}) ORDER BY minute_ms",
        (run, from_ms, min(to_ms, rows_to_ms) - MINUTE_MS, entity),
    )
    for first_ms, end_ms, by_minutes in _pieces((start_ms for (start_ms,) in whole), MINUTE_MS, from_ms, to_ms):
        if by_minutes:
            yield from _of_rows(connection, MINUTE, entity, run, first_ms, end_ms)
        longer_than_ms = LONGEST_IN_MINUTES_MS if by_minutes else -1
        yield from _of_entries(connection, ticks, entity, run, first_ms, end_ms, as_of_ms, longer_than_ms)


def _pieces(starts: Iterable[int], grain_ms: int, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, bool]]:
    """(from_ms, to_ms] cut into stretches of whole periods, which start at `starts`, and others."""
    done_ms = from_ms
    for _, stretch in groupby(enumerate(starts), lambda numbered: numbered[1] - numbered[0] * grain_ms):
        periods = [start_ms for _, start_ms in stretch]
        if done_ms < periods[0]:
            yield done_ms, periods[0], False
        done_ms = periods[-1] + grain_ms
        yield periods[0], done_ms, True
    if done_ms < to_ms:
        yield done_ms, to_ms, False


def _of_rows(
    connection: sqlite3.Connection, level: Level, entity: int, run: int, first_ms: int, end_ms: int
) -> Iterator[tuple[int, int]]:
    sums = ", ".join(f"coalesce(sum({column}), 0)" for column in STATE_COLUMNS)
    start = f"{level.name}_ms"
    row = connection.execute(
        f"SELECT {sums} FROM gpu_{level.name} WHERE {start} >= ? AND {start} < ? AND run = ? AND entity = ?",
        (first_ms, end_ms, run, entity),
    ).fetchone()
    return ((state.value, ms) for state, ms in zip(State, row, strict=True))


def _of_entries(
    connection: sqlite3.Connection,
    ticks: Ticks,
    entity: int,
    run: int,
    from_ms: int,
    to_ms: int,
    as_of_ms: int | None,
    longer_than_ms: int,
) -> Iterator[tuple[int, int]]:
    """(State, milliseconds) of the parts within (from_ms, to_ms] of entries of one GPU in one run, gaps left out.

    as_of_ms: only of ticks up to it. longer_than_ms: only of entries that reach back for longer, to where they or
    the time that their energy was drawn in began (as `in_minutes` tells them apart).
    """
    edge_ms = quarter_of(to_ms) + QUARTER_MS
    # An entry in the range may be of a later tick: of the same quarter hour, or of one that says it reaches back.
    yield from connection.execute(
        "WITH t AS (SELECT tick_ms FROM tick WHERE run = :run AND tick_ms > :from AND tick_ms <= :edge "
        "UNION ALL SELECT tick_ms FROM tick WHERE run = :run AND tick_ms > :edge AND reaches_ms < :edge) "
        "SELECT state, sum(min(t.tick_ms + t1, :to) - max(t.tick_ms + t0, :from)) FROM t "
        f"CROSS JOIN gpu_raw AS e ON e.id = (t.tick_ms << {ENTITY_BITS}) + :entity "
        "WHERE (:as_of IS NULL OR t.tick_ms <= :as_of) AND t.tick_ms + t0 < :to AND t.tick_ms + t1 > :from "
        "AND e.flags & :gap = 0 AND max(t1 - t0, measured_ms) > :longer GROUP BY state",
        {
            "entity": entity,
            "run": run,
            "from": from_ms,
            "to": to_ms,
            "edge": edge_ms,
            "gap": Flag.GAP.value,
            "as_of": as_of_ms,
            "longer": longer_than_ms,
        },
    ).fetchall()
    yield from ticks.sealed_state_ms(entity, run, from_ms, to_ms, edge_ms, as_of_ms, longer_than_ms)
