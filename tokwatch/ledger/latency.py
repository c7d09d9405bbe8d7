"""Latencies known by bucket only: quantiles as the bucket they fall in, the share within a limit as bounds.

A layout is (edges, counts): finite ascending edges, and the observations per bucket, the last beyond the last edge.
Formulas: histogram_quantile turned round (attainment), Fréchet's inequalities (joint).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil
from operator import add

Layout = tuple[Sequence[float], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Attainment:
    """How many of n > 0 observations are ≤ a limit: known exactly when the limit is an edge, else between bounds."""

    n: int
    at_least: int
    at_most: int
    spread: (
        float | None
    )  # if those of the limit's bucket lie evenly in it; None where their count or its end is unknown

    @property
    def low(self) -> float:
        """The share that is surely within the limit."""
        return self.at_least / self.n

    @property
    def high(self) -> float:
        """The share that may be within the limit."""
        return self.at_most / self.n

    @property
    def point(self) -> float | None:
        """The share by linear interpolation, an estimate unless low == high."""
        return None if self.spread is None else self.spread / self.n

    def __add__(self, other: Attainment) -> Attainment:
        """Of both together, each under its own limit."""
        spread = None if self.spread is None or other.spread is None else self.spread + other.spread
        return Attainment(self.n + other.n, self.at_least + other.at_least, self.at_most + other.at_most, spread)


class Observations:
    """Values of one latency from histograms that may differ in their buckets.

    At each edge of any of them it is known how many values are at least, and how many at most, ≤ that edge. So other
    buckets widen the bounds, and never make a figure wrong or impossible.
    """

    def __init__(self, layouts: Iterable[Layout]) -> None:
        merged: dict[tuple[float, ...], list[int]] = {}
        for edges, counts in layouts:
            layout = tuple(edges)
            before = merged.get(layout)
            merged[layout] = [*counts] if before is None else [*map(add, before, counts)]
        self.layouts = tuple(merged.items())
        cumulated = [(edges, list(accumulate(counts))) for edges, counts in self.layouts]
        self.n = sum(cumulative[-1] for _, cumulative in cumulated)
        self._edges = sorted({edge for edges in merged for edge in edges})
        columns = [_over(self._edges, edges, cumulative) for edges, cumulative in cumulated]
        self._at_least = [sum(column) for column in zip(*(least for least, _ in columns), strict=True)]
        self._at_most = [sum(column) for column in zip(*(most for _, most in columns), strict=True)]

    def quantile(self, q: float) -> tuple[float, float | None] | None:
        """(lower, upper] that holds the q-quantile by nearest rank; upper None beyond the last edge; None without data.

        With one bucket layout it is the bucket that the quantile falls in.
        """
        if not self.n:
            return None
        rank = max(1, ceil(q * self.n))
        below, above = bisect_left(self._at_most, rank), bisect_left(self._at_least, rank)
        return self._edges[below - 1] if below else 0.0, self._edges[above] if above < len(self._edges) else None

    def within(self, limit: float) -> Attainment | None:
        """How many are ≤ limit; None without data."""
        if not self.n:
            return None
        i = bisect_right(self._edges, limit)
        edge, least, most = (self._edges[i - 1], self._at_least[i - 1], self._at_most[i - 1]) if i else (0.0, 0, 0)
        if i and edge == limit:
            return Attainment(self.n, least, most, float(least) if least == most else None)
        if i == len(self._edges):
            return Attainment(self.n, least, self.n, float(least) if least == self.n else None)
        spread = None
        if least == most and self._at_least[i] == self._at_most[i]:
            spread = least + (self._at_least[i] - least) * (limit - edge) / (self._edges[i] - edge)
        return Attainment(self.n, least, self._at_most[i], spread)


def _over(
    points: Sequence[float], edges: Sequence[float], cumulative: Sequence[int]
) -> tuple[Sequence[int], Sequence[int]]:
    """How many values of one layout are at least, and at most, ≤ each of the points, which hold all its edges."""
    if len(points) == len(edges):
        return cumulative[:-1], cumulative[:-1]
    below = [bisect_right(edges, point) for point in points]
    least = [cumulative[i - 1] if i else 0 for i in below]
    most = [low if i and edges[i - 1] == x else cumulative[i] for x, i, low in zip(points, below, least, strict=True)]
    return least, most


def joint(bounds: Sequence[tuple[float, float]], whole: float = 1.0) -> tuple[float, float]:
    """Fréchet's bounds of what lies in all of several parts of a whole, from each part's own bounds.

    They hold however the parts overlap. The product of the shares would not: queueing ties latencies to each other.
    """
    return max(0.0, sum(low for low, _ in bounds) - (len(bounds) - 1) * whole), min(high for _, high in bounds)
