"""One latency's observations since a run began: what both the agent's recorder and a host's pages add up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from operator import add

import msgspec

from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.report import MOST, LatencyReport

_US_PER_MS = 1000


class LatencyTotal(msgspec.Struct, frozen=True, gc=False):
    """Observations per bucket, not cumulative, as in HistogramEntry."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    sum_us: int = 0

    def plus(self, entry: HistogramEntry) -> LatencyTotal:
        """With what was observed in one interval more. A sum that fell adds nothing: counters only grow."""
        counts = tuple(map(add, self.counts, entry.counts))
        return LatencyTotal(self.edges, counts, self.sum_us + max(0, entry.sum_us))

    @property
    def report(self) -> LatencyReport:
        return LatencyReport(self.counts, self.sum_us // _US_PER_MS)


def nothing(edges: tuple[float, ...]) -> LatencyTotal:
    """Of a histogram that begins at 0."""
    return LatencyTotal(edges, (0,) * (len(edges) + 1))


def are_edges(edges: Sequence[float]) -> bool:
    """Whether a latency can have such buckets."""
    return all(0 <= edge <= MOST and math.isfinite(edge) for edge in edges) and all(a < b for a, b in pairwise(edges))
