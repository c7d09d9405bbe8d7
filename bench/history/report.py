"""What a benchmark prints: the machine, tables, medians of rounds in which all took turns."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.history.processes import version


def machine(*programs: str) -> str:
    """One line: processor, cores, versions."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    found = [names[0] if names else platform.machine(), f"{len(os.sched_getaffinity(0))} cores"]
    found += [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return "; ".join([*found, *map(version, programs)])


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as they need; numbers to the right, the first column to the left."""
    lines = [heading, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heading))]
    for line in lines:
        print("  ".join(cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in _cells(line, widths)))
    print(flush=True)


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def median_ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """Median of each round's ratio."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def told(words: str) -> None:
    """Progress, for who waits."""
    print(words, file=sys.stderr, flush=True)


def _cells(line: Sequence[str], widths: Sequence[int]) -> Iterable[tuple[int, tuple[str, int]]]:
    return enumerate(zip(line, widths, strict=True))


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:  # not a Linux
        return []
