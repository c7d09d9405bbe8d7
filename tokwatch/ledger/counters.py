"""Counters of one server flow → increments: restarts, series that appear late, first pages.

Rule: a counter absent from an earlier good page of the same incarnation counts from 0; only on the first
page of an unknown incarnation is it a baseline.
"""

from __future__ import annotations

from collections.abc import Mapping

from collectors.readings import FlowReading, Histogram
from tokwatch.ledger.entries import HistogramEntry

COUNTERS = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted", "preempted", "progress")


def counters_of(flow: FlowReading) -> dict[str, int]:
    """The counters a page showed, by name; absent ones are absent."""
    return {name: value for name in COUNTERS if (value := getattr(flow, name)) is not None}


def increments(before: Mapping[str, int], now: Mapping[str, int], *, restarted: bool) -> tuple[dict[str, int], bool]:
    """Increments by name, and whether a counter fell within one incarnation.

    restarted: a new process counts from 0, so its values are the increments. A counter that falls although the
    process is the same one lost a part of a sum (a dead worker's share): what it gained is unknown and taken as 0, a
    lower bound.
    """
    if restarted:
        return dict(now), False
    gained, fell = {}, False
    for name, value in now.items():
        delta = value - before.get(name, 0)
        if delta < 0:
            delta, fell = 0, True
        gained[name] = delta
    return gained, fell


def histogram_increment(name: str, before: Histogram | None, now: Histogram) -> HistogramEntry | None:
    """Observations per bucket since `before` (None: all of them); None where nothing was observed or the two cannot
    be compared (other edges, counts that fell)."""
    cumulative, before_sum = now.counts, 0.0
    if before is not None:
        if before.edges != now.edges or any(b > n for b, n in zip(before.counts, now.counts, strict=True)):
            return None
        cumulative = tuple(n - b for b, n in zip(before.counts, now.counts, strict=True))
        before_sum = before.sum
    if not cumulative[-1]:
        return None
    per_bucket = tuple(b - a for a, b in zip((0, *cumulative[:-1]), cumulative, strict=True))
    return HistogramEntry(name, now.edges, per_bucket, round(now.sum * 1e6) - round(before_sum * 1e6))
