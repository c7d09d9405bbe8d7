"""Requests as the tests make them up, and the histograms that an engine would show of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from hypothesis import strategies as st

from tokwatch.ledger.latency import Observations

# Of 1000 requests, cumulative: TTFT .25→620 .5→850 .75→930 1→960 2.5→990, TPOT .025→300 .05→900 .075→980 .1→995.
TTFT = (0.25, 0.5, 0.75, 1.0, 2.5), (620, 230, 80, 30, 30, 10)
TPOT = (0.025, 0.05, 0.075, 0.1), (300, 600, 80, 15, 5)

EDGES = (0.01, 0.1, 0.5, 1.0, 2.0, 5.0)
seconds = st.sampled_from(EDGES) | st.floats(0.001, 10, allow_nan=False)
edges = st.lists(st.sampled_from(EDGES), min_size=1, unique=True).map(sorted)


def counted(edges: Sequence[float], values: Iterable[float]) -> list[int]:
    """Values per bucket (lower, upper]."""
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_left(edges, value)] += 1
    return counts


def observations(edges: Sequence[float], values: Iterable[float]) -> Observations:
    return Observations([(edges, counted(edges, values))])
