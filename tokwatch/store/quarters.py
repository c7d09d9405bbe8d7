"""Minute and quarter-hour rows in the store: the SQL of each level, and nothing of what they are made from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import astuple

from tokwatch.ledger.entries import State
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS, RolledUp, first_quarter, quarter_of

STATE_COLUMNS: Final = tuple(f"ms_{state.name.lower()}" for state in State)

# After the start, which has the level's name.
_GPU_KEY: Final = ("run", "entity", "owner")
_GPU_COLUMNS: Final = (*_GPU_KEY, *STATE_COLUMNS, "observed_ms", *GpuQuarter.__struct_fields__[5:])
_STATES: Final = tuple(state.value for state in State)
_STATES_AT: Final = 1 + len(_GPU_KEY)
_OBSERVED_AT: Final = _STATES_AT + len(_STATES)
_FLOW_COLUMNS: Final = FlowQuarter.__struct_fields__[1:]
_HOST_COLUMNS: Final = HostQuarter.__struct_fields__[1:]
_HISTOGRAMS_AT: Final = FlowQuarter.__struct_fields__.index("histograms")


@dataclass(frozen=True, slots=True)
class Quarters:
    """Rows of periods of one length, ordered by period, run and entity: quarter hours, or minutes likewise."""

    gpus: list[GpuQuarter]
    flows: list[FlowQuarter]
    hosts: list[HostQuarter] = field(default_factory=list)
    elsewhere: list[FlowQuarter] = field(default_factory=list)  # of flows, what is counted at another server's: apart

    def periods(self) -> set[tuple[int, int]]:
        """(start, run) of every row."""
        rows: tuple[Iterable[GpuQuarter | FlowQuarter | HostQuarter], ...]
        rows = (self.gpus, self.flows, self.hosts, self.elsewhere)
        return {(row.quarter_ms, row.run) for kind in rows for row in kind}


@dataclass(frozen=True, slots=True)
class Level:
    """Rows of periods of one length, which start at multiples of it."""

    name: str  # of the tables, and of the column that holds a period's start
    grain_ms: int
    due: str  # SELECT (start, run) of the periods that no row speaks for yet

    def start_of(self, instant_ms: int) -> int:
        """Start of the period that holds an instant; an instant on an edge ends the earlier one."""
        return quarter_of(instant_ms, self.grain_ms)

    def select(
        self,
        connection: sqlite3.Connection,
        codec: HistogramCodec,
        runs: Collection[int],
        first_ms: int,
        end_ms: int,
        *,
        traffic: bool = True,
    ) -> Quarters:
        """Rows of the periods that start in [first_ms, end_ms), the due ones left out.

        traffic: with flows, whose histograms take longer to read than all else.
        """
        start = f"{self.name}_ms"
        # A due period may have rows of before it was due: they no longer hold.
        chosen = (
            f"WHERE {start} >= :first AND {start} < :end AND run IN (SELECT value FROM json_each(:runs)) "
            f"AND ({start}, run) NOT IN ({self.due}) ORDER BY {start}, run, entity"
        )
        within = {"first": first_ms, "end": end_ms, "runs": json.dumps(sorted(runs))}

        def rows(table: str, columns: tuple[str, ...], order: str = "") -> Iterator[tuple[Any, ...]]:
            sql = f"SELECT {', '.join((start, *columns))} FROM {table}_{self.name} {chosen}{order}"
            return connection.execute(sql, within)

        return Quarters(
            [_gpu_quarter(row) for row in rows("gpu", _GPU_COLUMNS, ", owner")],
            [_flow_quarter(row, codec) for row in rows("flow", _FLOW_COLUMNS)] if traffic else [],
            [_host_quarter(row) for row in rows("host", _HOST_COLUMNS)],
            [_flow_quarter(row, codec) for row in rows("flow_elsewhere", _FLOW_COLUMNS)] if traffic else [],
        )

    def replace(
        self,
        connection: sqlite3.Connection,
        codec: HistogramCodec,
        run: int,
        first_ms: int,
        end_ms: int,
        rows: Quarters,
    ) -> None:
        """Put `rows` in place of all rows of a run whose periods start in [first_ms, end_ms)."""
        start = f"{self.name}_ms"
        for table in ("gpu", "flow", "host", "flow_elsewhere"):
            connection.execute(
                f"DELETE FROM {table}_{self.name} WHERE run = ? AND {start} >= ? AND {start} < ?",
                (run, first_ms, end_ms),
            )
        self.insert(connection, codec, rows)

    def insert(self, connection: sqlite3.Connection, codec: HistogramCodec, rows: Quarters) -> None:
        for table, columns, values in (
            ("gpu", _GPU_COLUMNS, (_gpu_values(row) for row in rows.gpus)),
            ("flow", _FLOW_COLUMNS, (_flow_values(row, codec) for row in rows.flows)),
            ("host", _HOST_COLUMNS, map(astuple, rows.hosts)),
            ("flow_elsewhere", _FLOW_COLUMNS, (_flow_values(row, codec) for row in rows.elsewhere)),
        ):
            marks = ", ".join("?" * (1 + len(columns)))
            connection.executemany(
                f"INSERT INTO {table}_{self.name} ({self.name}_ms, {', '.join(columns)}) VALUES ({marks})", values
            )


MINUTE: Final = Level("minute", MINUTE_MS, "SELECT minute_ms, run FROM minute_due")
QUARTER: Final = Level("quarter", QUARTER_MS, "SELECT quarter_ms, run FROM quarter WHERE rolled = 0")


def insert_quarters(connection: sqlite3.Connection, codec: HistogramCodec, quarters: Quarters) -> None:
    """The rows alone; part of the caller's transaction, who marks their quarters as done."""
    QUARTER.insert(connection, codec, quarters)


def reaches_ms(tick_ms: int, entries: Iterable[RolledUp]) -> int | None:
    """The first quarter that these entries have a part in, where that is before the tick's own."""
    first = min((first_quarter(entry) for entry in entries), default=tick_ms)
    return first if first < quarter_of(tick_ms) else None


def _gpu_values(row: GpuQuarter) -> tuple[Any, ...]:
    start_ms, run, entity, owner, state_ms, *sums = astuple(row)
    states = (state_ms.get(state, 0) for state in State)
    return start_ms, run, entity, owner, *states, row.observed_ms, *sums


def _gpu_quarter(row: tuple[Any, ...]) -> GpuQuarter:
    in_states = row[_STATES_AT:_OBSERVED_AT]
    state_ms = {state: ms for state, ms in zip(_STATES, in_states, strict=True) if ms}
    values = (*row[:_STATES_AT], state_ms, *row[_OBSERVED_AT + 1 :])
    return GpuQuarter(*values)


def _flow_values(row: FlowQuarter, codec: HistogramCodec) -> tuple[Any, ...]:
    values = list(astuple(row))
    values[_HISTOGRAMS_AT] = codec.pack(row.histograms)
    return tuple(values)


def _flow_quarter(row: tuple[Any, ...], codec: HistogramCodec) -> FlowQuarter:
    values = list(row)
    values[_HISTOGRAMS_AT] = codec.unpack(values[_HISTOGRAMS_AT])
    return FlowQuarter(*values)


def _host_quarter(row: tuple[Any, ...]) -> HostQuarter:
    return HostQuarter(*row)
