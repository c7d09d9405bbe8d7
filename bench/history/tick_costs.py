"""What writing a tick costs: our rows, a row for each value, our rows while sealing goes on.

Ours is Recording.write as the recorder's thread calls it: from entries to rows, counters as they stand, events, and at
every minute's and quarter hour's edge the roll-up of what lies behind it. The median tick has no edge; the mean has
them all. A row for each value is given ready made, and is all that there is: keyed by series and time as a store of
series is, so that one of them can be read, or by time and series, which only ever appends.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.history.report import median, median_ratio, percentile, table, told
from bench.history.series import Samples
from tokwatch.ledger.entries import Run, TickRecord
from tokwatch.store.connection import open_for_writing
from tokwatch.store.recording import Recording
from tokwatch.store.retention import Retention

_RAW_MS = 5 * 60_000  # kept raw while sealing is measured, so that there is something to seal soon
_TICKS_A_ROUND = 900
_BOUND_S = 0.020  # of a tick's sealing

T = TypeVar("T")
Row = tuple[int, int, int]  # series, time, value


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the ticks of one run."""

    commits_s: list[float]
    cpus_s: list[float]

    @property
    def median_cpu_s(self) -> float:
        return median(self.cpus_s)

    @property
    def mean_cpu_s(self) -> float:
        return sum(self.cpus_s) / len(self.cpus_s)


def compare_tick_costs(records: Sequence[TickRecord], folder: Path, rounds: int) -> None:
    """Print commit and CPU of a tick of each, and what sealing adds."""
    first = records[:_TICKS_A_ROUND]
    by_tick = _rows_by_tick(first)
    costs: dict[str, list[Cost]] = defaultdict(list)
    for number in range(rounds):
        for name, cost in (
            ("tokwatch", _wide(folder, first, Retention())),
            ("row a value, (series, time)", _narrow(folder, by_tick, "series, ts")),
            ("row a value, (time, series)", _narrow(folder, by_tick, "ts, series")),
            ("tokwatch, all ticks", _wide(folder, records, Retention())),
            ("tokwatch, all ticks, sealing", _wide(folder, records, Retention(raw_ms=_RAW_MS))),
        ):
            costs[name].append(cost)
        told(f"costs: round {number + 1} of {rounds}")
    values = sum(map(len, by_tick)) / len(by_tick)
    print(f"cost of a tick, medians of {rounds} rounds of {len(by_tick)} ticks; {values:.0f} values a tick")
    ours = costs["tokwatch"]
    table(
        ("", "commit p50 µs", "p99 ms", "worst ms", "CPU p50 µs", "ours ÷ it", "CPU mean µs", "ours ÷ it"),
        [_line(name, each, ours) for name, each in costs.items()],
    )
    quiet, sealing = costs["tokwatch, all ticks"], costs["tokwatch, all ticks, sealing"]
    extra_us = [(busy.mean_cpu_s - idle.mean_cpu_s) * 1e6 for busy, idle in zip(sealing, quiet, strict=True)]
    late, late_else = (
        median(sum(cpu_s > _BOUND_S for cpu_s in cost.cpus_s) for cost in each) for each in (sealing, quiet)
    )
    print(f"sealing, raw rows let go included: {median(extra_us):.0f} µs of CPU a tick on average")
    print(f"ticks with more than 20 ms of CPU: {late:.0f} of {len(records)}; without sealing {late_else:.0f}")


def _line(name: str, costs: Sequence[Cost], ours: Sequence[Cost]) -> tuple[str, ...]:
    commits_s = [cost.commits_s for cost in costs]
    medians_s, means_s = [cost.median_cpu_s for cost in costs], [cost.mean_cpu_s for cost in costs]
    return (
        name,
        f"{median(map(median, commits_s)) * 1e6:.0f}",
        f"{median(percentile(each, 0.99) for each in commits_s) * 1e3:.1f}",
        f"{median(map(max, commits_s)) * 1e3:.0f}",
        f"{median(medians_s) * 1e6:.0f}",
        f"{median_ratio((cost.median_cpu_s for cost in ours), medians_s):.3f}",
        f"{median(means_s) * 1e6:.0f}",
        f"{median_ratio((cost.mean_cpu_s for cost in ours), means_s):.3f}",
    )


def _wide(folder: Path, records: Sequence[TickRecord], retention: Retention) -> Cost:
    """Our rows, as the recorder's thread writes them."""
    store = folder / "cost.db"
    with closing(open_for_writing(store)) as connection:
        recording = Recording(connection, retention)
        recording.begin_run(Run(0, "simulated", "bench", "bench", "0", "UTC", records[0].tick.tick_ms))
        cost = _timed(recording.write, records)
    _remove(store)
    return cost


def _narrow(folder: Path, by_tick: Sequence[Sequence[Row]], key: str) -> Cost:
    """One row for each value, all of a tick in one commit."""
    store = folder / "cost.db"
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE sample (series INTEGER NOT NULL, ts INTEGER NOT NULL, value INTEGER NOT NULL, "
            f"PRIMARY KEY ({key})) STRICT, WITHOUT ROWID"
        )

        def write(rows: Sequence[Row]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO sample VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")

        cost = _timed(write, by_tick)
    _remove(store)
    return cost


def _timed(write: Callable[[T], None], ticks: Sequence[T]) -> Cost:
    commits_s, cpus_s = [], []
    for each in ticks:
        began_s, began_cpu_s = time.perf_counter(), time.thread_time()
        write(each)
        cpus_s.append(time.thread_time() - began_cpu_s)
        commits_s.append(time.perf_counter() - began_s)
    return Cost(commits_s, cpus_s)


def _rows_by_tick(records: Sequence[TickRecord]) -> list[list[Row]]:
    """The values of each tick."""
    found: dict[int, list[Row]] = defaultdict(list)
    for number, each in enumerate(Samples(records).series):
        for at_ms, scaled in zip(each.times_ms, each.scaled, strict=True):
            found[at_ms].append((number, at_ms, scaled))
    return [found[at_ms] for at_ms in sorted(found)]


def _remove(store: Path) -> None:
    for file in store.parent.glob(f"{store.name}*"):
        file.unlink()
