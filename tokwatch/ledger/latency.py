"""Histograms: quantiles as the bucket they fall in, SLO attainment and goodput as bounds.

All functions take finite edges (ascending) and per-bucket counts, the last of which lies beyond the last edge.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def quantile_bucket(edges: Sequence[float], counts: Sequence[int], q: float) -> tuple[float, float | None] | None:
    """The bucket (lower, upper] in which the q-quantile lies; upper None beyond the last edge; None without data."""
    total = sum(counts)
    if not total:
        return None
    rank, seen = q * total, 0
    for i, count in enumerate(counts):
        seen += count
        if count and seen >= rank:
            return (edges[i - 1] if i else 0.0), (edges[i] if i < len(edges) else None)
    raise AssertionError("the counts' sum was reached by no bucket")


def attainment(edges: Sequence[float], counts: Sequence[int], limit: float) -> tuple[float, float] | None:
    """Bounds of the share of observations ≤ limit, equal when the limit is an edge; None without data."""
    total = sum(counts)
    if not total:
        return None
    i = bisect_left(edges, limit)
    if i < len(edges) and edges[i] == limit:
        share = sum(counts[: i + 1]) / total
        return share, share
    below = sum(counts[:i])
    return below / total, (below + counts[i]) / total


def interpolated_attainment(edges: Sequence[float], counts: Sequence[int], limit: float) -> float | None:
    """The share ≤ limit, observations spread evenly inside its bucket; None without data or an upper edge."""
    total = sum(counts)
    i = bisect_left(edges, limit)
    if not total or i == len(edges):
        return None
    lower = edges[i - 1] if i else 0.0
    inside = counts[i] * (limit - lower) / (edges[i] - lower)
    return (sum(counts[:i]) + inside) / total


def joint(bounds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Fréchet bounds of meeting every SLO at once, from each one's bounds."""
    return max(0.0, sum(low for low, _ in bounds) - (len(bounds) - 1)), min(high for _, high in bounds)
