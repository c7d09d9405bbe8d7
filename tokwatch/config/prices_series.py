"""A price series in a CSV file, such as a day-ahead market's: read while the config that names it is."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tokwatch.ledger.prices.electricity import QUARTER_MS, Series

MOST_ROWS = 366 * 24 * 4  # a year of quarter hours
_HOUR_MS = 4 * QUARTER_MS


class SeriesFile:
    """What a file holds."""

    def __init__(self, series: Series, currency: str) -> None:
        self.series = series
        self.currency = currency  # from the name of its column, "EUR" of eur_per_mwh


class SeriesReader:
    """Decodes a SeriesFile from the name of its file, for msgspec.convert; each file is read once.

    Raises ValueError with the file, its line and words.
    """

    def __init__(self, directory: Path) -> None:
        """directory: what the names are relative to."""
        self._directory = directory
        self._read: dict[str, SeriesFile | ValueError] = {}

    def __call__(self, kind: type, value: object) -> SeriesFile:
        if kind is not SeriesFile:
            raise NotImplementedError(f"a config holds no {kind}")
        if not isinstance(value, str):
            raise ValueError("write the name of a CSV file")
        if value not in self._read:
            try:
                self._read[value] = read_series(self._directory / value)
            except ValueError as error:
                self._read[value] = error
        found = self._read[value]
        if isinstance(found, ValueError):
            raise found
        return found


def read_series(path: Path) -> SeriesFile:
    """`time,usd_per_kwh` (or any currency, or per_mwh), ascending, without gaps. Raises ValueError.

    A row holds until the next one, the last as long as the one before. Steps are of 15 minutes to an hour and may
    change within the file, as Europe's markets did on 2025-10-01.
    """
    try:
        if not path.is_file():
            raise ValueError(f"{path}: no such file")
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read_rows(path, csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:  # also for a name that is too long to be one
        raise ValueError(f"{path}: cannot be read: {error}") from error


def _read_rows(path: Path, rows: Iterator[list[str]]) -> SeriesFile:
    header = [name.strip().lower() for name in next(rows, [])]
    column = next((re.fullmatch(r"([a-z]{3})_per_([km])wh", name) for name in header if name != "time"), None)
    if len(header) != 2 or header[0] != "time" or column is None:
        raise ValueError(f"{path}:1: the first line must be time,usd_per_kwh or time,eur_per_mwh or the like")
    per_kwh = 1.0 if column[2] == "k" else 1000.0
    wheres: list[str] = []
    times: list[int] = []
    prices: list[float] = []
    for line, row in enumerate(rows, 2):
        if not row:
            continue
        where = f"{path}:{line}"
        if len(times) == MOST_ROWS:
            raise ValueError(f"{where}: more than {MOST_ROWS} rows: keep a year of quarter hours at most")
        if len(row) != 2:
            raise ValueError(f"{where}: a row is a time and a price, this one has {len(row)} fields")
        wheres.append(where)
        times.append(_time_ms(where, row[0].strip()))
        prices.append(_price(where, row[1].strip()) / per_kwh)
        if len(times) > 1 and times[-1] <= times[-2]:
            raise ValueError(f"{where}: {row[0].strip()[:40]} does not come after the row before: sort by time")
    if len(times) < 2:
        raise ValueError(f"{path}: two rows are needed at least: how long a row holds is told by the next")
    series = Series(path.name, tuple(times), tuple(prices), times[-1] + _last_step_ms(wheres, times))
    return SeriesFile(series, column[1].upper())


def _time_ms(where: str, text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{where}: {text[:40]!r} is no time: write 2026-11-21T00:00+01:00") from None
    if time.tzinfo is None:
        raise ValueError(f"{where}: {text[:40]} has no time zone: write {text[:40]}Z or {text[:40]}+01:00")
    at_ms = round(time.timestamp() * 1000)
    if at_ms % QUARTER_MS:
        raise ValueError(f"{where}: {text[:40]} is off the quarter hour: prices change on quarter hours")
    return at_ms


def _price(where: str, text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not math.isfinite(price):
        raise ValueError(f"{where}: {text[:40]!r} is no price: write a number such as 0.085")
    return price


def _last_step_ms(wheres: list[str], times: list[int]) -> int:
    """A row is missing where a step is longer than an hour, or than both its neighbours."""
    steps = [after - before for before, after in pairwise(times)]
    for place, step in enumerate(steps):
        neighbours = steps[max(0, place - 1) : place] + steps[place + 1 : place + 2]
        if step > min(_HOUR_MS, max(neighbours, default=_HOUR_MS)):
            raise ValueError(f"{wheres[place + 1]}: {step // 60_000} minutes after the row before: rows are missing")
    return steps[-1]
