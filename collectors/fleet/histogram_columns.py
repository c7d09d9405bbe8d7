"""Columns of histograms: where on a page their buckets and sums stand, and their way to counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import le

from collectors.fleet.columns import Pick, Values, counts, picker
from collectors.fleet.samples import HistogramName
from collectors.readings import Histogram
from collectors.vocabularies.plan import MAX_EDGES


@dataclass(frozen=True, slots=True)
class HistogramColumns:
    """All histograms of one layout."""

    names: tuple[HistogramName, ...]
    buckets: Pick  # of all, one after another, each up to its +Inf
    sums: Pick
    scale: tuple[float, ...]  # of each sum, page unit × scale = seconds

    def read(self, values: Values) -> tuple[Histogram | None, ...]:
        """None for one whose values make no histogram."""
        told, first = counts(self.buckets(values)), 0
        found: list[Histogram | None] = []
        for name, total, scale in zip(self.names, self.sums(values), self.scale, strict=True):
            end = first + len(name.edges) + 1
            found.append(_histogram(name.edges, told[first:end], total * scale))
            first = end
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Placed:
    """One histogram and where it stands."""

    name: HistogramName
    buckets: Sequence[int]
    sum: int
    scale: float = 1.0


def histogram_columns(placed: Sequence[Placed]) -> HistogramColumns:
    return HistogramColumns(
        tuple(each.name for each in placed),
        picker(chain.from_iterable(each.buckets for each in placed)),
        picker(each.sum for each in placed),
        tuple(each.scale for each in placed),
    )


def ordered(buckets: Mapping[float, int]) -> tuple[tuple[float, ...], tuple[int, ...]] | None:
    """Finite edges, and the positions of their buckets and of +Inf, out of positions by edge; None where they make no
    histogram."""
    edges = sorted(buckets)
    if len(edges) - 1 > MAX_EDGES or not edges or edges[-1] != math.inf or not all(map(math.isfinite, edges[:-1])):
        return None
    return tuple(edges[:-1]), tuple(buckets[edge] for edge in edges)


def edge_of(text: str) -> float:
    """NaN, which makes no histogram, for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _histogram(edges: tuple[float, ...], told: Sequence[int | None], total: float) -> Histogram | None:
    whole = tuple(count for count in told if count is not None)
    if len(whole) < len(told) or not math.isfinite(total) or not all(map(le, whole, whole[1:])):
        return None
    return Histogram(edges, whole, total)
