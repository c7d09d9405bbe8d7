"""How a store grows: its size by level and what questions cost after 1, 7, 30 and 365 days of recording.

Run it from a checkout with the dev extra:

    python bench/growth.py [--days 1 7 30 365] [--rounds 5] [--keep DIR] [--quick]

Two hours of the demo's fleet, 8 GPUs and 4 vLLM servers at 1 Hz, are recorded and copied forward in time (see
history/stretching.py), with what the default retention would have left of them: a day of raw rows, 30 days of sealed
history, 90 of minutes, and quarter hours and events of all time. --keep keeps what was recorded for the next time.

Stores take turns, round by round; medians are printed. Files are in the page cache, each question opens the store anew.

open            a Reader
first View      what a dashboard shows first: the last tick's View, which windows and sums of today are in
10 minutes      every tick and entry of a random ten minutes that are still kept one by one
Cursor.seek     a whole Snapshot of a random moment of them
last day, all   hourly energy and time of each GPU, from quarter hours
sessions        the list of them
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.history.cycle import recorded_cycle
from bench.history.hours import hours_by_reader
from bench.history.report import machine, median, table, told
from bench.history.sizes import level_bytes
from bench.history.stretching import stretch
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.store.reader import Reader
from tokwatch.store.retention import DAY_MS, Retention
from tokwatch.store.sessions import sessions

WINDOW_MS = 600_000
LEVELS = ("raw", "sealed", "minutes", "quarters", "events", "other")


@dataclass(frozen=True, slots=True)
class Grown:
    """A store of so many days."""

    days: float
    store: Path
    begins_ms: int
    end_ms: int

    def moment_ms(self, chance: random.Random) -> int:
        """A random end of ten minutes that are still kept tick by tick."""
        return chance.randrange(max(self.begins_ms, self.end_ms - Retention().history_ms) + 2 * WINDOW_MS, self.end_ms)


def open_(grown: Grown, chance: random.Random) -> None:
    with Reader(grown.store) as reader:
        reader.last_tick()


def first_view(grown: Grown, chance: random.Random) -> None:
    with closing(History(grown.store)) as history:
        last_ms = history.last_tick()
        assert last_ms is not None
        history.view_at(last_ms)


def ten_minutes(grown: Grown, chance: random.Random) -> None:
    to_ms = grown.moment_ms(chance)
    with Reader(grown.store) as reader:
        if not any(True for _ in reader.records(None, to_ms - WINDOW_MS, to_ms)):
            raise SystemExit(f"{grown.days:g} days: nothing is kept of the ten minutes before {to_ms}")


def seek(grown: Grown, chance: random.Random) -> None:
    with closing(Cursor(History(grown.store))) as cursor:
        cursor.seek(grown.moment_ms(chance))
        cursor.snapshot("replay", "")


def last_day(grown: Grown, chance: random.Random) -> None:
    hours_by_reader(grown.store, grown.end_ms - DAY_MS, grown.end_ms)


def all_hours(grown: Grown, chance: random.Random) -> None:
    hours_by_reader(grown.store, grown.begins_ms, grown.end_ms)


def sessions_(grown: Grown, chance: random.Random) -> None:
    with Reader(grown.store) as reader:
        sessions(reader)


QUESTIONS: dict[str, Callable[[Grown, random.Random], None]] = {
    "open": open_,
    "first View": first_view,
    "10 minutes": ten_minutes,
    "Cursor.seek": seek,
    "hours of the last day": last_day,
    "hours of all": all_hours,
    "sessions": sessions_,
}


def print_sizes(stores: list[Grown]) -> None:
    rows = []
    for grown in stores:
        levels = level_bytes(grown.store)
        sizes = [f"{levels.get(level, 0) / 1e6:.1f}" for level in LEVELS]
        rows.append((f"{grown.days:g}", *sizes, f"{grown.store.stat().st_size / 1e6:.0f}"))
    print("MB of each level")
    table(("days", *LEVELS, "file"), rows)


def print_costs(stores: list[Grown], rounds: int) -> None:
    chance = random.Random(9)
    times_s: dict[tuple[str, float], list[float]] = defaultdict(list)
    for number in range(-1, rounds):  # the first one warms up
        for name, question in QUESTIONS.items():
            for grown in stores:
                began_s = time.perf_counter()
                question(grown, chance)
                if number >= 0:
                    times_s[name, grown.days].append(time.perf_counter() - began_s)
        told(f"round {number + 1} of {rounds}")
    print(f"ms of each question, medians of {rounds} rounds")
    rows = [(name, *(f"{median(times_s[name, grown.days]) * 1e3:.1f}" for grown in stores)) for name in QUESTIONS]
    table(("days", *(f"{grown.days:g}" for grown in stores)), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, nargs="+", default=[1.0, 7.0, 30.0, 365.0])
    parser.add_argument("--hours", type=float, default=2.0, help="recorded, then repeated")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a directory for what was recorded")
    parser.add_argument("--quick", action="store_true", help="1, 3 and 7 days, 20 minutes repeated: nothing to quote")
    options = parser.parse_args()
    days, cycle_hours = ([1.0, 3.0, 7.0], 1 / 3) if options.quick else (options.days, options.hours)
    print(machine(), "\n")
    with tempfile.TemporaryDirectory(prefix="tokwatch-bench-", dir=options.keep) as name:
        folder = Path(name)
        cycle = recorded_cycle(options.keep or folder, round(cycle_hours * 3600))
        stores = []
        for each in days:
            store, began_s = folder / f"{each:g}.db", time.perf_counter()
            end_ms = stretch(cycle, store, each, Retention())
            stores.append(Grown(each, store, cycle.begins_ms, end_ms))
            told(f"{each:g} days made in {time.perf_counter() - began_s:.0f} s")
        print_sizes(stores)
        print_costs(stores, options.rounds)


if __name__ == "__main__":
    main()
