"""Quarter-hour rows in the store: which are due, rolling them up from raw rows, reading them back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import astuple

from tokwatch.ledger.entries import State
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.rollup import (
    QUARTER_MS,
    RolledUp,
    elsewhere_quarters,
    first_quarter,
    flow_quarters,
    gpu_quarters,
    host_quarters,
    quarter_of,
)
from tokwatch.store.rows import FLOW_ROWS, GPU_ROWS, HOST_ROWS, E, EntryTable

STATE_COLUMNS: Final = tuple(f"ms_{state.name.lower()}" for state in State)

_GPU_KEY: Final = ("quarter_ms", "run", "entity", "owner")
_GPU_SUMS: Final = GpuQuarter.__struct_fields__[5:]  # after the key and state_ms
_GPU_COLUMNS: Final = (*_GPU_KEY, *STATE_COLUMNS, "observed_ms", *_GPU_SUMS)
_STATES: Final = tuple(state.value for state in State)
_STATES_AT: Final = len(_GPU_KEY)
_OBSERVED_AT: Final = _STATES_AT + len(_STATES)
_FLOW_COLUMNS: Final = FlowQuarter.__struct_fields__
_HOST_COLUMNS: Final = HostQuarter.__struct_fields__
_HISTOGRAMS_AT: Final = _FLOW_COLUMNS.index("histograms")


@dataclass(frozen=True, slots=True)
class Quarters:
    """Quarter hours of a range, ordered by quarter, run and entity."""

    gpus: list[GpuQuarter]
    flows: list[FlowQuarter]
    hosts: list[HostQuarter] = field(default_factory=list)
    elsewhere: list[FlowQuarter] = field(default_factory=list)  # of flows, what is counted at another server's: apart


def reaches_ms(tick_ms: int, entries: Iterable[RolledUp]) -> int | None:
    """The first quarter that these entries have a part in, where that is before the tick's own."""
    first = min((first_quarter(entry) for entry in entries), default=tick_ms)
    return first if first < quarter_of(tick_ms) else None


def mark_due(connection: sqlite3.Connection, run: int, quarters: Iterable[int]) -> None:
    """These quarters hold rows of this run that no roll-up speaks for yet."""
    connection.executemany(
        "INSERT INTO quarter (quarter_ms, run, rolled) VALUES (?, ?, 0) "
        "ON CONFLICT (quarter_ms, run) DO UPDATE SET rolled = 0",
        ((quarter_ms, run) for quarter_ms in quarters),
    )


def roll_up_due(
    connection: sqlite3.Connection, codec: HistogramCodec, before_ms: int, of_run: int | None = None
) -> None:
    """Roll up every due quarter that starts before `before_ms`; part of the caller's transaction."""
    due: dict[int, list[int]] = {}
    for run, quarter_ms in connection.execute(
        "SELECT run, quarter_ms FROM quarter WHERE rolled = 0 AND quarter_ms < :before "
        "AND (:run IS NULL OR run = :run) ORDER BY quarter_ms",
        {"before": before_ms, "run": of_run},
    ):
        due.setdefault(run, []).append(quarter_ms)
    for run, quarters in due.items():
        for first_ms, end_ms in _stretches(quarters):
            _store(connection, codec, run, first_ms, end_ms, _compute(connection, codec, run, first_ms, end_ms))


def read_quarters(
    connection: sqlite3.Connection,
    codec: HistogramCodec,
    from_ms: int,
    to_ms: int,
    runs: Collection[int] | None,
    *,
    traffic: bool = True,
) -> Quarters:
    """Every quarter that has a part in (from_ms, to_ms]: stored rows, and the due ones computed the same way.

    traffic: with flows, whose histograms take longer to read than all else.
    Call inside a read transaction, or a roll-up in between counts a quarter twice or not at all.
    """
    first_ms, end_ms = quarter_of(from_ms + 1), quarter_of(to_ms) + QUARTER_MS
    chosen = None if runs is None else json.dumps(sorted(runs))
    of_runs = "(:runs IS NULL OR run IN (SELECT value FROM json_each(:runs)))"
    where = f"WHERE quarter_ms >= :first AND quarter_ms < :end AND {of_runs}"
    within = {"first": first_ms, "end": end_ms, "runs": chosen}
    # A due quarter may have rows from before a late entry reached back into it: they no longer hold.
    rolled = f"{where} AND (quarter_ms, run) IN (SELECT quarter_ms, run FROM quarter {where} AND rolled = 1)"
    gpus = [
        _gpu_quarter(row)
        for row in connection.execute(f"SELECT {', '.join(_GPU_COLUMNS)} FROM gpu_quarter {rolled}", within)
    ]
    flows, elsewhere = (
        [
            _flow_quarter(row, codec)
            for row in connection.execute(f"SELECT {', '.join(_FLOW_COLUMNS)} FROM {table} {rolled}", within)
        ]
        if traffic
        else []
        for table in ("flow_quarter", "flow_elsewhere_quarter")
    )
    hosts = [
        HostQuarter(**dict(zip(_HOST_COLUMNS, row, strict=True)))
        for row in connection.execute(f"SELECT {', '.join(_HOST_COLUMNS)} FROM host_quarter {rolled}", within)
    ]
    due: dict[int, list[int]] = {}
    for run, quarter_ms in connection.execute(
        f"SELECT run, quarter_ms FROM quarter {where} AND rolled = 0 ORDER BY quarter_ms", within
    ).fetchall():
        due.setdefault(run, []).append(quarter_ms)
    for run, quarters in due.items():
        for first_due_ms, end_due_ms in _stretches(quarters):
            computed = _compute(connection, codec, run, first_due_ms, end_due_ms)
            gpus += computed.gpus
            hosts += computed.hosts
            if traffic:
                flows += computed.flows
                elsewhere += computed.elsewhere
    gpus.sort(key=lambda row: (row.quarter_ms, row.run, row.entity, row.owner))
    for rows in (flows, hosts, elsewhere):
        rows.sort(key=lambda row: (row.quarter_ms, row.run, row.entity))
    return Quarters(gpus, flows, hosts, elsewhere)


def _stretches(quarters: list[int]) -> list[tuple[int, int]]:
    """Sorted quarter starts as (first_ms, end_ms) of unbroken stretches: each is one pass over raw rows."""
    stretches: list[tuple[int, int]] = []
    for quarter_ms in quarters:
        if stretches and stretches[-1][1] == quarter_ms:
            stretches[-1] = (stretches[-1][0], quarter_ms + QUARTER_MS)
        else:
            stretches.append((quarter_ms, quarter_ms + QUARTER_MS))
    return stretches


def _compute(connection: sqlite3.Connection, codec: HistogramCodec, run: int, first_ms: int, end_ms: int) -> Quarters:
    """The quarters that start in [first_ms, end_ms), from raw rows."""

    def entries(table: EntryTable[E]) -> Iterable[E]:
        for _, entry in table.select(
            connection, codec, "t.run = ? AND t.tick_ms > ? AND t.tick_ms <= ?", (run, first_ms, end_ms)
        ):
            yield entry
        # Later ticks that reach back: across the edge, or over a gap.
        for _, entry in table.select(
            connection, codec, "t.run = ? AND t.tick_ms > ? AND t.reaches_ms < ?", (run, end_ms, end_ms)
        ):
            yield entry

    return Quarters(
        gpu_quarters(entries(GPU_ROWS), run, first_ms, end_ms),
        flow_quarters(entries(FLOW_ROWS), run, first_ms, end_ms),
        host_quarters(entries(HOST_ROWS), run, first_ms, end_ms),
        elsewhere_quarters(entries(FLOW_ROWS), run, first_ms, end_ms),
    )


def _store(
    connection: sqlite3.Connection, codec: HistogramCodec, run: int, first_ms: int, end_ms: int, quarters: Quarters
) -> None:
    """Insert the rows in place of those from an earlier roll-up, and mark the quarters as done."""
    stretch = (run, first_ms, end_ms)
    for table, columns, rows in (
        ("gpu_quarter", _GPU_COLUMNS, (_gpu_row(row) for row in quarters.gpus)),
        ("flow_quarter", _FLOW_COLUMNS, (_flow_row(row, codec) for row in quarters.flows)),
        ("host_quarter", _HOST_COLUMNS, map(astuple, quarters.hosts)),
        ("flow_elsewhere_quarter", _FLOW_COLUMNS, (_flow_row(row, codec) for row in quarters.elsewhere)),
    ):
        connection.execute(f"DELETE FROM {table} WHERE run = ? AND quarter_ms >= ? AND quarter_ms < ?", stretch)
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
    connection.execute("UPDATE quarter SET rolled = 1 WHERE run = ? AND quarter_ms >= ? AND quarter_ms < ?", stretch)


def _gpu_row(quarter: GpuQuarter) -> tuple[Any, ...]:
    quarter_ms, run, entity, owner, state_ms, *sums = astuple(quarter)
    states = (state_ms.get(state, 0) for state in State)
    return quarter_ms, run, entity, owner, *states, quarter.observed_ms, *sums


def _gpu_quarter(row: tuple[Any, ...]) -> GpuQuarter:
    in_states = row[_STATES_AT:_OBSERVED_AT]
    state_ms = {state: ms for state, ms in zip(_STATES, in_states, strict=True) if ms}
    values = (*row[:_STATES_AT], state_ms, *row[_OBSERVED_AT + 1 :])
    return GpuQuarter(**dict(zip(GpuQuarter.__struct_fields__, values, strict=True)))


def _flow_row(quarter: FlowQuarter, codec: HistogramCodec) -> tuple[Any, ...]:
    values = list(astuple(quarter))
    values[_HISTOGRAMS_AT] = codec.pack(quarter.histograms)
    return tuple(values)


def _flow_quarter(row: tuple[Any, ...], codec: HistogramCodec) -> FlowQuarter:
    values = dict(zip(_FLOW_COLUMNS, row, strict=True))
    values["histograms"] = codec.unpack(values["histograms"])
    return FlowQuarter(**values)
