"""Counters of one server flow → increments: restarts, ranks that restart by themselves, series that appear late.

Rule: a counter absent from an earlier good page of the same incarnation counts from 0; only on the first
page of an unknown incarnation is it a baseline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

from collectors.readings import FlowReading, Histogram
from tokwatch.ledger.entries import HistogramEntry

COUNTERS = (
    "prompt_tokens",
    "cached_tokens",
    "output_tokens",
    "finished",
    "failed",
    "aborted",
    "preempted",
    "progress",
    "drafted_tokens",
    "accepted_tokens",
)
MOST_KEPT = 4096  # parts of one flow; a page may name new ranks every time, and all are written with each tick
_PART = "@"  # between a counter's name and the rank or process it is of: "output_tokens@engine=1"


def counters_of(flow: FlowReading) -> dict[str, int]:
    """The counters a page showed, by name; absent ones are absent. A sum stands there by its parts."""
    parts = dict(flow.parts)
    counters: dict[str, int] = {}
    for name in COUNTERS:
        if name in parts:
            counters |= {f"{name}{_PART}{part}": value for part, value in parts[name]}
        elif (value := getattr(flow, name)) is not None:
            counters[name] = value
    return counters


def increments(before: Mapping[str, int], now: Mapping[str, int], *, restarted: bool) -> tuple[dict[str, int], bool]:
    """Increments by counter name, and whether something fell within one incarnation.

    restarted: a new process counts from 0, so its values are the increments. A part of a sum that falls is a rank or
    process that restarted by itself: it counts from 0. A whole counter that falls although the process is the same one
    lost a part of a sum that the page does not tell apart: what it gained is unknown and taken as 0. Both are lower
    bounds.
    """
    earlier = {} if restarted else _by_counter(before)
    gained: dict[str, int] = {}
    fell = False
    for name, parts in _by_counter(now).items():
        old = earlier.get(name, {})
        if _whole(parts) or _whole(old):  # told as one number, now or before
            delta = sum(parts.values()) - sum(old.values())
            fell |= delta < 0
            gained[name] = max(0, delta)
        else:
            deltas = [(value, value - old.get(part, 0)) for part, value in parts.items()]
            fell |= any(delta < 0 for _, delta in deltas)
            gained[name] = sum(value if delta < 0 else delta for value, delta in deltas)
    return gained, fell


def all_fell(before: Mapping[str, int], now: Mapping[str, int]) -> bool:
    """Whether some counter fell with all its parts: the whole process is a new one, not one of its ranks."""
    earlier = _by_counter(before)
    for name, parts in _by_counter(now).items():
        old = earlier.get(name, {})
        if _whole(parts) or _whole(old):
            if sum(parts.values()) < sum(old.values()):
                return True
        elif (moved := [part for part, value in old.items() if value]) and all(
            parts.get(part, 0) < old[part] for part in moved
        ):
            return True
    return False


def totals(counters: Mapping[str, int]) -> dict[str, int]:
    """Each counter as one number."""
    return {name: sum(parts.values()) for name, parts in _by_counter(counters).items()}


def standing(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """The counters as they stand after a page: those it does not show as they were, unless there are too many."""
    whole = {name: _whole(parts) for name, parts in _by_counter(now).items()}
    kept = {
        key: value for key, value in before.items() if whole.get(name := key.partition(_PART)[0]) in (None, name == key)
    }
    return {**kept, **now} if len(kept.keys() | now.keys()) <= MOST_KEPT else dict(now)


def _by_counter(counters: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Values by counter and part; the only part of a counter told as one number is ""."""
    names: dict[str, dict[str, int]] = defaultdict(dict)
    for key, value in counters.items():
        name, _, part = key.partition(_PART)
        names[name][part] = value
    return names


def _whole(parts: Mapping[str, int]) -> bool:
    return parts.keys() == {""}


def comparable(before: Histogram | None, now: Histogram) -> bool:
    """Whether `now` goes on from `before`: not with other edges, or where the count of one bucket alone fell."""
    return (before is None or before.edges == now.edges) and min(_gained(before, now)) >= 0


def _gained(before: Histogram | None, now: Histogram) -> tuple[int, ...]:
    """Observations of each bucket since `before`; negative where the pages do not agree, such as one that was written
    while its counts moved."""
    cumulative = now.counts if before is None else [n - b for b, n in zip(before.counts, now.counts, strict=True)]
    return tuple(b - a for a, b in pairwise((0, *cumulative)))


def histogram_increment(name: str, before: Histogram | None, now: Histogram) -> HistogramEntry | None:
    """Observations per bucket since `before` (None: all of them); None where nothing was observed or the two cannot
    be compared (other edges, counts that fell)."""
    if before is not None and before.edges != now.edges:
        return None
    gained = _gained(before, now)
    if min(gained) < 0 or not any(gained):
        return None
    before_sum = 0.0 if before is None else before.sum
    return HistogramEntry(name, now.edges, gained, round(now.sum * 1e6) - round(before_sum * 1e6))
