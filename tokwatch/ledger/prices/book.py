"""The versions of the price book and which of them holds when: later ones, restated times, closed months."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from tokwatch.ledger.prices.version import Prices

MS_PER_HOUR = 3_600_000
SUPPOSED = "what if"  # the source of a version that nobody recorded


class PriceVersion(msgspec.Struct, frozen=True):
    """A version, in force from effective_from_ms until the next one; a restatement until effective_to_ms."""

    id: int
    effective_from_ms: int
    recorded_ms: int
    source: str  # "config" | "command line" | "set by you" | "demo" | "restated"
    prices: Prices
    effective_to_ms: int | None = None
    reason: str = ""  # of a restatement: what was wrong before

    @property
    def restates(self) -> bool:
        """It takes the place of what was in force in [effective_from, effective_to)."""
        return self.effective_to_ms is not None


class ClosedMonth(msgspec.Struct, frozen=True):
    """A UTC month whose prices are final: versions recorded after it was closed do not touch it."""

    month: str  # "2026-10"
    last_version: int
    closed_ms: int

    @property
    def span_ms(self) -> tuple[int, int]:
        """[from, to) in Unix milliseconds."""
        year, month = map(int, self.month.split("-"))
        first, after = datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        return int(first.timestamp() * 1000), int(after.timestamp() * 1000)


class PriceBook:
    """All versions; of two with the same start the later recorded one holds, and a restatement before both."""

    def __init__(self, versions: tuple[PriceVersion, ...] = (), closed: tuple[ClosedMonth, ...] = ()) -> None:
        self.versions = tuple(sorted(versions, key=lambda v: (v.effective_from_ms, v.id)))
        self.closed = tuple(sorted(closed, key=lambda each: each.month))
        self._edges = self._all_edges()
        self._held = [self._find(edge) for edge in self._edges]

    def at(self, at_ms: int) -> PriceVersion | None:
        """The version in force at an instant."""
        index = bisect_right(self._edges, at_ms) - 1
        return self._held[index] if index >= 0 else None

    def segments(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, PriceVersion | None]]:
        """(from, to] cut where the version changes; the version is None before the first."""
        edges = [edge for edge in self._edges if from_ms < edge < to_ms]
        for start, end in itertools.pairwise([from_ms, *edges, to_ms]):
            yield start, end, self.at(start)

    def with_version(self, version: PriceVersion) -> PriceBook:
        """A book that holds one version more."""
        return PriceBook((*self.versions, version), self.closed)

    def supposing(self, usd_per_gpu_hour: float) -> PriceBook:
        """The book as it would be had every GPU always been rented at that; all else stays."""
        always = PriceVersion(0, 0, 0, SUPPOSED, Prices().rented_at(usd_per_gpu_hour))
        versions = (
            msgspec.structs.replace(each, source=SUPPOSED, prices=each.prices.rented_at(usd_per_gpu_hour))
            for each in self.versions
        )
        return PriceBook((always, *versions), self.closed)

    def closed_month(self, from_ms: int, to_ms: int) -> ClosedMonth | None:
        """The first closed month that [from, to) reaches into."""
        for each in self.closed:
            start_ms, end_ms = each.span_ms
            if from_ms < end_ms and start_ms < to_ms:
                return each
        return None

    def _all_edges(self) -> list[int]:
        """Where the version in force may change, ascending."""
        edges = {version.effective_from_ms for version in self.versions}
        edges |= {version.effective_to_ms for version in self.versions if version.effective_to_ms is not None}
        edges |= {edge for each in self.closed for edge in each.span_ms} if self.versions else set()
        return sorted(edges)

    def _find(self, at_ms: int) -> PriceVersion | None:
        last = next((each.last_version for each in self.closed if each.span_ms[0] <= at_ms < each.span_ms[1]), None)
        held = [
            version for version in self.versions if _covers(version, at_ms) and (last is None or version.id <= last)
        ]
        return max(held, key=lambda v: (v.restates, v.id if v.restates else v.effective_from_ms, v.id), default=None)


def _covers(version: PriceVersion, at_ms: int) -> bool:
    return version.effective_from_ms <= at_ms and (version.effective_to_ms is None or at_ms < version.effective_to_ms)


def cost(rate_per_hour: float, length_ms: int) -> float:
    """Dollars of a time at dollars an hour."""
    return rate_per_hour * length_ms / MS_PER_HOUR
