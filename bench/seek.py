"""How fast any ten minutes of a month are back: a store of 30 days, beside Prometheus asked the same question.

Run it from a checkout with the dev extra, and Prometheus and promtool on the PATH (or named by
TOKWATCH_BENCH_PROMETHEUS, TOKWATCH_BENCH_PROMTOOL):

    python bench/seek.py [--days 30] [--peer-hours 4] [--rounds 100] [--keep DIR] [--quick]

Two hours of the demo's fleet, 8 GPUs and 4 vLLM servers at 1 Hz, are recorded and copied forward in time until the days
are full (see history/stretching.py): the last day raw, all before it sealed. Prometheus holds the first --peer-hours of
the same samples as TSDB blocks, for a month of them would be 1.8 G. --keep keeps what was recorded for the next time.

Then all take turns, round by round, on random windows of ten minutes; files are in the page cache. Medians and 95th
percentiles are printed, and the ratio of the latter.

records, any of the days  every tick and entry of the window as Python objects, by Reader.records
records, in their hours   the same where Prometheus has it, too
Cursor.seek               a whole Snapshot of one moment, as a replay shows it
Prometheus                all series over HTTP, as samples of the range (and as query_range), decoded by json

Last, the hours of all the days from the roll-up: sums by hour and GPU from Reader.quarters, and from the view
v_gpu_hour, beside sqlite3 reading the same rows, plain and added up by hour.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history.cycle import recorded_cycle
from bench.history.hours import hours_by_reader, hours_by_scan, hours_in_sql
from bench.history.processes import binary, get, query
from bench.history.prometheus import make_blocks, prometheus
from bench.history.report import machine, median, median_ratio, percentile, table, told
from bench.history.series import Samples
from bench.history.stretching import stretch
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.store.reader import Reader
from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention

WINDOW_MS = 600_000
ALL = '{__name__=~".+"}'
HOUR_ROUNDS = 7


def seeks(store: Path, url: str, begins_ms: int, end_ms: int, peer_end_ms: int, rounds: int) -> None:
    """Print how long each takes to answer for a random window."""
    chance = random.Random(5)
    with Reader(store) as anywhere, Reader(store) as within, closing(Cursor(History(store))) as cursor:
        check(within, url, peer_end_ms)
        subjects: dict[str, tuple[Callable[[int], int], int]] = {
            "tokwatch, records, any of the days": (lambda to_ms: records(anywhere, to_ms), end_ms),
            "tokwatch, records, in their hours": (lambda to_ms: records(within, to_ms), peer_end_ms),
            "tokwatch, Cursor.seek, any of the days": (lambda to_ms: snapshot(cursor, to_ms), end_ms),
            "Prometheus, range of samples": (lambda to_ms: samples(url, to_ms), peer_end_ms),
            "Prometheus, query_range": (lambda to_ms: query_range(url, to_ms), peer_end_ms),
        }
        times_s: dict[str, list[float]] = defaultdict(list)
        for number in range(-2, rounds):  # the first two warm up
            for name, (subject, until_ms) in subjects.items():
                to_ms = chance.randrange(begins_ms + WINDOW_MS, until_ms)
                began_s = time.perf_counter()
                subject(to_ms)
                if number >= 0:
                    times_s[name].append(time.perf_counter() - began_s)
            if number % 25 == 0:
                told(f"seeks: round {number} of {rounds}")
    theirs = min(percentile(times_s[name], 0.95) for name in times_s if name.startswith("Prometheus"))
    rows = []
    for name, each in times_s.items():
        times = [f"{percentile(each, share) * 1e3:.0f}" for share in (0.5, 0.95, 1.0)]
        rows.append((name, *times, f"{percentile(each, 0.95) / theirs:.2f}"))
    print(f"any 10 minutes, all series; {rounds} random windows each, in turns")
    table(("", "p50 ms", "p95 ms", "worst ms", "p95 ÷ Prometheus's better"), rows)


def records(reader: Reader, to_ms: int) -> int:
    return len(list(reader.records(None, to_ms - WINDOW_MS, to_ms)))


def snapshot(cursor: Cursor, to_ms: int) -> int:
    cursor.seek(to_ms)
    return 0 if cursor.snapshot("replay", "") is None else 1


def samples(url: str, to_ms: int) -> int:
    # Prometheus 2 takes a range closed at both ends, ours is open at its beginning.
    return sum(len(series["values"]) for series in query(url, f"{ALL}[{WINDOW_MS - 1}ms]", to_ms))


def query_range(url: str, to_ms: int) -> int:
    start, end = f"{(to_ms - WINDOW_MS) / 1000 + 1:.3f}", f"{to_ms / 1000:.3f}"
    answer = json.loads(get(f"{url}/api/v1/query_range", query=ALL, start=start, end=end, step="1s"))
    return sum(len(series["values"]) for series in answer["data"]["result"])


def check(reader: Reader, url: str, to_ms: int) -> None:
    """Ends the benchmark where both do not give the same of a window."""
    from_ms = to_ms - 2 * WINDOW_MS + 500  # between two ticks: theirs were moved to the full second
    ours = Samples(reader.records(None, from_ms, from_ms + WINDOW_MS)).values
    theirs = samples(url, from_ms + WINDOW_MS)
    if ours != theirs:
        raise SystemExit(f"we have {ours} values of a window, Prometheus has {theirs} samples")
    print(f"a window holds {ours} values in both\n")


# --- hours of the whole store -------------------------------------------------------------------------------------


def hours_of_view(store: Path, from_ms: int, to_ms: int) -> int:
    with closing(sqlite3.connect(store)) as connection:
        return len(connection.execute("SELECT * FROM v_gpu_hour").fetchall())


def hours(store: Path, begins_ms: int, end_ms: int) -> None:
    """Print how long the hourly sums of all GPUs take."""
    wanted = hours_by_reader(store, begins_ms, end_ms)
    if not wanted == hours_by_scan(store, begins_ms, end_ms) == hours_in_sql(store, begins_ms, end_ms):
        raise SystemExit("the hours differ")
    subjects: dict[str, Callable[[Path, int, int], object]] = {
        "Reader.quarters, summed": hours_by_reader,
        "view v_gpu_hour, all of its columns": hours_of_view,
        "sqlite3, rows summed in Python": hours_by_scan,
        "sqlite3, GROUP BY of two columns": hours_in_sql,
    }
    times_s: dict[str, list[float]] = defaultdict(list)
    for _ in range(HOUR_ROUNDS):
        for name, subject in subjects.items():
            began_s = time.perf_counter()
            subject(store, begins_ms, end_ms)
            times_s[name].append(time.perf_counter() - began_s)
    plain = times_s["sqlite3, rows summed in Python"]
    print(
        f"{len(wanted)} hours of GPUs from quarter hours, medians of {HOUR_ROUNDS} rounds, opening the store included"
    )
    rows = [(name, f"{median(each) * 1e3:.0f}", f"{median_ratio(each, plain):.2f}") for name, each in times_s.items()]
    table(("", "ms", "÷ rows summed in Python"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--hours", type=float, default=2.0, help="recorded, then repeated")
    parser.add_argument("--peer-hours", type=float, default=4.0, help="of the same samples in Prometheus")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a directory for what was recorded")
    parser.add_argument("--quick", action="store_true", help="3 days, 20 minutes repeated, 20 rounds: nothing to quote")
    options = parser.parse_args()
    days, cycle_hours, peer_hours, rounds = options.days, options.hours, options.peer_hours, options.rounds
    if options.quick:
        days, cycle_hours, peer_hours, rounds = 3.0, 1 / 3, 1.0, 20
    program = binary("prometheus", "TOKWATCH_BENCH_PROMETHEUS")
    binary("promtool", "TOKWATCH_BENCH_PROMTOOL")
    print(machine(program), "\n")
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-", dir=options.keep) as name:
        folder = Path(name)
        cycle = recorded_cycle(options.keep or folder, round(cycle_hours * 3600))
        store, began_s = folder / "store.db", time.perf_counter()
        end_ms = stretch(cycle, store, days, Retention(history_ms=max(Retention().history_ms, round(days * DAY_MS))))
        peer_end_ms = cycle.begins_ms + round(peer_hours * HOUR_MS)
        told(f"{days:g} days made in {time.perf_counter() - began_s:.0f} s: {store.stat().st_size / 1e6:.0f} MB")
        with Reader(store) as reader:
            blocks = make_blocks(Samples(reader.records(None, cycle.begins_ms - 1, peer_end_ms)), folder / "prometheus")
        told(f"Prometheus holds {blocks.samples} samples")
        with prometheus(folder / "prometheus") as url:
            seeks(store, url, cycle.begins_ms, end_ms, peer_end_ms, rounds)
        hours(store, cycle.begins_ms, end_ms)


if __name__ == "__main__":
    main()
