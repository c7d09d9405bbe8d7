"""Energy and time of each GPU by hour, from the quarter hours of a store: by the Reader, and by plain sqlite3."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from tokwatch.store.reader import Reader
from tokwatch.store.retention import HOUR_MS

HourSums = dict[tuple[int, int], tuple[int, int]]  # (hour, GPU) → energy_mj, observed_ms
COLUMNS = "quarter_ms, entity, energy_mj, observed_ms"


def hours_by_reader(store: Path, from_ms: int, to_ms: int) -> HourSums:
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    with Reader(store) as reader:
        for row in reader.quarters(from_ms, to_ms, traffic=False).gpus:
            of_hour = sums[row.quarter_ms // HOUR_MS, row.entity]
            of_hour[0] += row.energy_mj or 0
            of_hour[1] += row.observed_ms
    return {key: (energy_mj, observed_ms) for key, (energy_mj, observed_ms) in sums.items()}


def hours_by_scan(store: Path, from_ms: int, to_ms: int) -> HourSums:
    """Every column of the rows is fetched, and as many are added up."""
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    with closing(sqlite3.connect(store)) as connection:
        names = [name for _, name, *_ in connection.execute("PRAGMA table_info(gpu_quarter)")]
        at = [names.index(name) for name in COLUMNS.split(", ")]
        for row in connection.execute(
            "SELECT * FROM gpu_quarter WHERE quarter_ms >= ? AND quarter_ms < ?", (from_ms, to_ms)
        ):
            quarter_ms, entity, energy_mj, observed_ms = (row[place] for place in at)
            of_hour = sums[quarter_ms // HOUR_MS, entity]
            of_hour[0] += energy_mj or 0
            of_hour[1] += observed_ms
    return {key: (energy_mj, observed_ms) for key, (energy_mj, observed_ms) in sums.items()}


def hours_in_sql(store: Path, from_ms: int, to_ms: int) -> HourSums:
    with closing(sqlite3.connect(store)) as connection:
        return {
            (hour, entity): (energy_mj, observed_ms)
            for hour, entity, energy_mj, observed_ms in connection.execute(
                f"SELECT quarter_ms / {HOUR_MS}, entity, coalesce(sum(energy_mj), 0), sum(observed_ms) "
                "FROM gpu_quarter WHERE quarter_ms >= ? AND quarter_ms < ? GROUP BY 1, 2",
                (from_ms, to_ms),
            )
        }
