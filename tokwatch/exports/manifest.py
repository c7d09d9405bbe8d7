"""What a directory of exported files holds, for whoever loads them: rows, sums, coverage, checksums."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import msgspec

from tokwatch.exports.periods import Instant, Period

_Number: TypeAlias = int | float | Decimal


@dataclass(frozen=True, slots=True)
class Summed:
    """The columns of a table that a manifest speaks of."""

    quantities: tuple[str, ...]
    amounts: tuple[str, ...]  # of money, which is told by currency
    currency: str = "currency"
    coverage: str = "coverage"
    price_version: str = "price_version"


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file. Sums of its columns are told by column, amounts of money by currency and column; None adds nothing."""

    name: str
    start: Instant  # of the day, or the month
    end: Instant
    rows: int
    sums: dict[str, float]
    amounts: dict[str, dict[str, float]]
    coverage: float | None  # mean of the column, by the length of the periods; a GPU's share of time that was watched
    price_versions: tuple[str, ...]
    # The day is over, every quarter hour of it is summed up, and nothing may be missing: only a restatement changes it.
    complete: bool
    bytes: int
    sha256: str
    missing: tuple[str, ...] = ()  # why something may be missing, in the words of whoever was asked for it


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Of one table in one format. Everything but `files` and `written_by` is as it was when the directory was begun."""

    table: str  # "gpu_hour"
    schema_version: str  # of the columns: "2", "FOCUS 1.2"
    format: str
    timezone: str
    simulated: bool  # asked for with --simulated
    session: str | None
    written_by: str  # "tokwatch 0.1.0"
    files: tuple[ManifestFile, ...] = ()

    def differences(self, other: Manifest) -> list[str]:
        """What was asked for otherwise, in words: files of the two do not belong into one directory."""
        names = ("table", "schema_version", "format", "timezone", "simulated", "session")
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in names]
        return [f"{name} {before!r}, now {now!r}" for name, before, now in pairs if before != now]

    def with_files(self, files: Iterable[ManifestFile]) -> Manifest:
        """These in place of those of the same name; by name."""
        by_name = {file.name: file for file in self.files} | {file.name: file for file in files}
        return msgspec.structs.replace(self, files=tuple(by_name[name] for name in sorted(by_name)))


class Summing:
    """Rows on their way into a file, added up as they pass."""

    def __init__(self, rows: Iterable[tuple[Period, msgspec.Struct]], columns: Summed) -> None:
        self._rows, self._columns = rows, columns
        self._sums: dict[str, list[_Number]] = defaultdict(list)
        self._amounts: dict[str, dict[str, list[_Number]]] = defaultdict(lambda: defaultdict(list))
        self._covered: list[tuple[float, int]] = []
        self._versions: set[str] = set()

    def __iter__(self) -> Iterator[msgspec.Struct]:
        for period, row in self._rows:
            self._add(period, row)
            yield row

    @property
    def sums(self) -> dict[str, float]:
        """Of what is known: of quantities, by column."""
        return {name: _sum(values) for name, values in self._sums.items()}

    @property
    def amounts(self) -> dict[str, dict[str, float]]:
        """Of amounts, by currency and column."""
        return {
            currency: {name: _sum(values) for name, values in of_currency.items()}
            for currency, of_currency in sorted(self._amounts.items())
        }

    @property
    def coverage(self) -> float | None:
        """The mean of the rows' own, by the length of their periods; None where no row has one."""
        length_ms = sum(ms for _, ms in self._covered)
        return math.fsum(share * ms for share, ms in self._covered) / length_ms if length_ms else None

    @property
    def price_versions(self) -> tuple[str, ...]:
        """Ids of the price book, ascending."""
        return tuple(sorted(self._versions, key=int))

    def _add(self, period: Period, row: msgspec.Struct) -> None:
        columns = self._columns
        for name in columns.quantities:
            value = getattr(row, name)
            if value is not None:
                self._sums[name].append(value)
        currency = getattr(row, columns.currency)
        for name in columns.amounts:
            value = getattr(row, name)
            if value is not None:
                self._amounts[currency][name].append(value)
        share = getattr(row, columns.coverage)
        if share is not None:
            self._covered.append((share, period.length_ms))
        self._versions.update((getattr(row, columns.price_version) or "").split("+"))
        self._versions.discard("")


def _sum(values: list[_Number]) -> float:
    """Whole numbers stay whole, and decimals are rounded once."""
    if any(isinstance(value, float) for value in values):
        return math.fsum(values)
    total = sum(values)
    return total if isinstance(total, int) else float(total)
