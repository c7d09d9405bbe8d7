"""What a week of a fleet costs to price: the exports and the money figures from roll-ups, beside plain scans in SQLite.

Run it from a checkout:

    python bench/week.py [--days 7] [--rounds 5] [--keep FILE]

The fleet is made up: 64 GPUs, three models in two tiers, own and rented, under a tariff by time of day (see
tokwatch/demo/scenarios/week.txt). It is played through the real collector, page readers, bookkeeper and writer at a
tick a minute, which takes minutes for the week; --keep keeps the store, and takes up one that is there already.

Then all take turns, round by round, each opening the store anew. Medians are printed, and the median of each round's
ratio to the scan of the same rows.

export by gpu, by model   `tokwatch export hourly`, as CSV into nothing
money                     `tokwatch money --json`, likewise
scan                      SELECT of the same rows: the quarter hours of GPUs, flows and host, fetched into nothing
sums                      the sum of each of their columns, in SQL
scan, sums of raw rows    the same of what these were rolled up from, which none of the above reads
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).parents[1]))

from tokwatch.cli import run
from tokwatch.demo.play import play
from tokwatch.demo.week import DAY_S, RENTED_MODEL, restate, week
from tokwatch.exports.hourly import Asked, export_hourly

QUARTERS, RAW = ("gpu_quarter", "flow_quarter", "host_quarter"), ("gpu_raw", "flow_raw", "host_raw")
TABLES = ("tick", "server_raw", "event", *RAW, *QUARTERS)


def make(store: Path, days: float) -> None:
    """Play the week into a new store, and restate what was wrong."""
    scenario, config = week()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    done = 0

    def progress(share: float) -> None:
        nonlocal done
        if int(share * 20) > done:
            done = int(share * 20)
            print(f"played {done * 5} %", file=sys.stderr)

    ticks = asyncio.run(play(scenario, config, store, until_s=days * DAY_S, progress=progress))
    elapsed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    prices = config.prices.prices()
    assert prices is not None
    restate(store, scenario, prices)
    print(
        f"played {days:g} days of {len(scenario.gpus)} GPUs and {len(scenario.servers)} servers: {ticks} ticks in "
        f"{elapsed_s:.0f} s, {elapsed_s / ticks * 1e3:.1f} ms a tick ({cpu_s / ticks * 1e3:.1f} ms of CPU)"
    )


def describe(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        counts = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    print(f"{store.stat().st_size / 1e6:.0f} MB:", ", ".join(f"{count} {table}" for table, count in counts.items()))


def check(store: Path) -> None:
    """Prints what must be equal: the cost by GPU and by model, and reserved rent with its invoice."""
    hours: dict[Literal["gpu", "model"], list[dict[str, Any]]] = {}
    for by in ("gpu", "model"):
        out = io.BytesIO()
        export_hourly(store, Asked(by, format="json", simulated=True), out)
        hours[by] = json.loads(out.getvalue())
    costs = [math.fsum(row["cost_total_usd"] or 0.0 for row in rows) for rows in hours.values()]
    print(f"cost: {costs[0]:.6f} USD by GPU and hour, {costs[1]:.6f} by model and hour")
    rented = [row for row in hours["gpu"] if row["gpu_model"] == RENTED_MODEL]
    seen, unseen = (
        math.fsum(row[column] or 0.0 for row in rented) for column in ("cost_total_usd", "cost_unobserved_usd")
    )
    print(f"reserved rent: {seen:.2f} USD observed + {unseen:.2f} while nobody watched = {seen + unseen:.2f}")


def command(*arguments: str) -> Callable[[Path], int]:
    """A command of tokwatch in this process; how many characters it wrote."""

    def timed(store: Path) -> int:
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with redirect_stdout(out):
            code = run([*arguments, "--store", str(store)])
        if code:
            raise SystemExit(f"tokwatch {' '.join(arguments)} failed: {code}")
        out.flush()
        return out.buffer.tell()

    return timed


def scan(tables: tuple[str, ...], *, in_sql: bool) -> Callable[[Path], int]:
    """All columns of the tables, each row fetched, or their sums; how many rows that were."""

    def timed(store: Path) -> int:
        fetched = 0
        with closing(sqlite3.connect(store)) as connection:
            for table in tables:
                columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
                # total() is the sum() that cannot overflow, as that of the raw rows' keys would.
                wanted = ", ".join(f"total({name})" if in_sql else name for name in columns)
                for _ in connection.execute(f"SELECT {wanted} FROM {table}"):
                    fetched += 1
        return fetched

    return timed


def compare(store: Path, rounds: int) -> None:
    """Prints the medians."""
    scenario, _ = week()
    assert scenario.begins is not None
    begins = scenario.begins.isoformat()
    subjects: dict[str, Callable[[Path], int]] = {
        "scan": scan(QUARTERS, in_sql=False),
        "sums": scan(QUARTERS, in_sql=True),
        "export by gpu": command("export", "hourly", "--simulated", "--by", "gpu"),
        "export by model": command("export", "hourly", "--simulated", "--by", "model"),
        "money": command("money", "--json", "--since", begins),
        "scan of raw rows": scan(RAW, in_sql=False),
        "sums of raw rows": scan(RAW, in_sql=True),
    }
    times_s: dict[str, list[float]] = defaultdict(list)
    made: dict[str, int] = {}
    for number in range(rounds):
        for name, subject in subjects.items():
            began_s = time.perf_counter()
            made[name] = subject(store)
            times_s[name].append(time.perf_counter() - began_s)
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    print(f"{f'median of {rounds}':<20}{'seconds':>10}{'÷ scan':>9}{'÷ sums':>9}{'rows or characters':>22}")
    for name, seconds in times_s.items():
        ratios = [
            statistics.median(mine / theirs for mine, theirs in zip(seconds, times_s[other], strict=True))
            for other in ("scan", "sums")
        ]
        print(f"{name:<20}{statistics.median(seconds):>10.3f}{ratios[0]:>9.1f}{ratios[1]:>9.1f}{made[name]:>22}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-") as folder:
        store: Path = options.keep or Path(folder, "week.db")
        if not store.exists():
            make(store, options.days)
        describe(store)
        check(store)
        compare(store, options.rounds)


if __name__ == "__main__":
    main()
