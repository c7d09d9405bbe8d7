"""Latencies of each flow in each quarter hour: the increments of histograms' buckets, as entries of a recorder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from math import inf

from collectors.vocabularies.vocabulary import Role, Series, parts_of
from tokwatch.feeds.prometheus_quarters.asking import Stretch
from tokwatch.feeds.prometheus_quarters.fleet import Fleet
from tokwatch.feeds.prometheus_quarters.increments import of_series
from tokwatch.feeds.prometheus_quarters.server_labels import Ranked, ServerLabels
from tokwatch.feeds.prometheus_quarters.things import Flow, Server
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.goodput import LATENCIES
from tokwatch.store.rollup import QUARTER_MS

Latencies = dict[tuple[Flow, int], tuple[HistogramEntry, ...]]  # by flow and start of the quarter hour

_READ = tuple(name for name in LATENCIES if name != "queue")  # no limit and no column is about it
_HOUR_MS = 4 * QUARTER_MS  # a histogram is some twenty counters, and those of an hour are at hand at a time


async def latencies(fleet: Fleet, labels: ServerLabels, stretch: Stretch) -> Latencies:
    """What limits are set on, and the tables tell quantiles of. Each server's first candidate that it has is read."""
    found: dict[tuple[Flow, int], dict[str, HistogramEntry]] = defaultdict(dict)
    for name in _READ:
        role = labels.vocabulary.histograms.get(name)
        for hour in _hours(stretch):
            for at, entry in (await _of_role(fleet, labels, name, role, hour) if role else {}).items():
                found[at][name] = entry
    return {at: tuple(entries[name] for name in sorted(entries)) for at, entries in found.items()}


async def _of_role(
    fleet: Fleet, labels: ServerLabels, name: str, role: Role, stretch: Stretch
) -> dict[tuple[Flow, int], HistogramEntry]:
    found: dict[tuple[Flow, int], HistogramEntry] = {}
    told: set[Server] = set()
    for candidate in role.candidates:
        for series in parts_of(candidate):
            new = await _of_series(fleet, labels, name, series, role.scale, stretch)
            found |= {at: entry for at, entry in new.items() if at[0].server not in told}
            told |= {flow.server for flow, _ in new}
    return found


async def _of_series(
    fleet: Fleet, labels: ServerLabels, name: str, series: Series, scale: float, stretch: Stretch
) -> dict[tuple[Flow, int], HistogramEntry]:
    buckets: dict[tuple[Ranked, int], dict[float, float]] = defaultdict(dict)
    sums: dict[tuple[Ranked, int], float] = {}
    for selector in fleet.spelled(series, "_bucket"):
        moved = await of_series(fleet.asking, selector, labels.bucket_group, labels.bucket, stretch)
        for ((ranked, edge), quarter_ms), each in moved.items():
            if each.amount is not None:
                buckets[ranked, quarter_ms][edge] = each.amount
    for selector in fleet.spelled(series, "_sum"):
        moved_sums = await of_series(fleet.asking, selector, labels.flow_group, labels.ranked, stretch)
        sums |= {at: each.amount for at, each in moved_sums.items() if each.amount is not None}
    found: dict[tuple[Flow, int], HistogramEntry] = {}
    for (ranked, quarter_ms), edges in sorted(buckets.items(), key=lambda each: each[0][0].rank):
        entry = _entry(name, edges, sums.get((ranked, quarter_ms)), scale)
        if entry is not None:
            found.setdefault((ranked.flow, quarter_ms), entry)
    return found


def _entry(name: str, buckets: dict[float, float], total: float | None, scale: float) -> HistogramEntry | None:
    """None where they are no histogram: a bucket is missing, or was not read at the same time as the others."""
    *edges, last = sorted(buckets)
    cumulative = [0, *(round(buckets[edge]) for edge in (*edges, last))]
    counts = tuple(later - earlier for earlier, later in pairwise(cumulative))
    if last != inf or total is None or min(counts) < 0 or not cumulative[-1]:
        return None
    return HistogramEntry(name, tuple(edge * scale for edge in edges), counts, round(total * scale * 1e6))


def _hours(stretch: Stretch) -> Iterator[Stretch]:
    for start_ms in range(stretch.start_ms, stretch.end_ms, _HOUR_MS):
        yield Stretch(start_ms, min(stretch.end_ms, start_ms + _HOUR_MS))
