"""Rows of minutes and quarter hours as amounts that add up: by kind of row, entity and owner, column by column.

Left out is what is no sum: flags, and the highest power and temperature.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from tokwatch.ledger.entries import HistogramEntry, State
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.quarters import STATE_COLUMNS

Grain = Literal["minute", "quarter"]
Amounts = dict[str, int]  # none of them 0

_STATES: Final = dict(zip((state.value for state in State), STATE_COLUMNS, strict=True))
KINDS: Final = ("gpu", "flow", "flow_elsewhere", "host")
_NO_SUMS: Final = frozenset(
    {"quarter_ms", "minute_ms", "run", "entity", "owner", "flags", "power_max_mw", "temperature_max_c", "histograms"}
)


class Row(NamedTuple):
    """Which row of a stretch of time; owner is 0 but for GPUs."""

    kind: str
    entity: int
    owner: int


def stored(
    connection: sqlite3.Connection, codec: HistogramCodec, grain: Grain, run: int, from_ms: int, to_ms: int
) -> dict[Row, Amounts]:
    """What the rows that start in [from_ms, to_ms) add up to. Raises StoreError for a damaged histogram."""
    found: dict[Row, Amounts] = {}
    for kind in KINDS:
        cursor = connection.execute(
            f"SELECT * FROM {kind}_{grain} WHERE {grain}_ms >= ? AND {grain}_ms < ? AND run = ?", (from_ms, to_ms, run)
        )
        columns = [column[0] for column in cursor.description]
        for values in cursor:
            row = dict(zip(columns, values, strict=True))
            amounts = {name: value for name, value in row.items() if value and name not in _NO_SUMS}
            if blob := row.get("histograms"):
                amounts |= _observations(codec.unpack(blob))
            add(found, Row(kind, row["entity"], row.get("owner", 0)), amounts)
    return found


def amounts_of(row: GpuQuarter | FlowQuarter | HostQuarter) -> Amounts:
    """Of a row that was computed."""
    values = msgspec.structs.asdict(row)
    amounts: Amounts = {}
    if isinstance(row, GpuQuarter):
        amounts = {_STATES.get(state, f"ms_{state}"): ms for state, ms in values.pop("state_ms").items()}
        amounts["observed_ms"] = row.observed_ms
    elif isinstance(row, FlowQuarter):
        amounts = _observations(row.histograms)
    amounts |= {name: value for name, value in values.items() if name not in _NO_SUMS and value is not None}
    return {name: value for name, value in amounts.items() if value}


def add(sums: dict[Row, Amounts], row: Row, amounts: Amounts, sign: int = 1) -> None:
    """Nothing stays where the sum is nothing."""
    into = sums.setdefault(row, {})
    for name, value in amounts.items():
        total = into.get(name, 0) + sign * value
        if total:
            into[name] = total
        else:
            into.pop(name, None)
    if not into:
        del sums[row]


def first_starts(connection: sqlite3.Connection, grain: Grain) -> dict[int, tuple[int, int]]:
    """Of each run that has any rows: the first start of one, and from when on rows of every kind that it has start."""
    found: dict[int, tuple[int, int]] = {}
    for kind in KINDS:
        for run, start_ms in connection.execute(f"SELECT run, min({grain}_ms) FROM {kind}_{grain} GROUP BY run"):
            first_ms, last_ms = found.get(run, (start_ms, start_ms))
            found[run] = (min(first_ms, start_ms), max(last_ms, start_ms))
    return found


def starts(connection: sqlite3.Connection, grain: Grain, run: int, from_ms: int) -> Iterator[int]:
    """Starts from an instant on that have a row of the run."""
    every = " UNION ".join(
        f"SELECT {grain}_ms FROM {kind}_{grain} WHERE {grain}_ms >= :from AND run = :run" for kind in KINDS
    )
    return (start for (start,) in connection.execute(every, {"from": from_ms, "run": run}))


def _observations(histograms: Iterable[HistogramEntry]) -> Amounts:
    amounts: Amounts = {}
    for histogram in histograms:
        for name, value in (("observations", sum(histogram.counts)), ("sum_us", histogram.sum_us)):
            key = f"{histogram.name} {name}"
            amounts[key] = amounts.get(key, 0) + value
    return amounts
