"""The frontier: windows that no other beats in both throughput and interactivity; the user's box; the best point.

A point is on the frontier when no other has as much of both and more of one (InferenceX). Points of one deployment are
compared, and of one mix: a prompt token takes less of a GPU than an output token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from tokwatch.ledger.capacity.capacity import TRAILING_MS
from tokwatch.ledger.capacity.operating_point import OperatingPoint, Throughput

MOST_POINTS = 48


class Frontier(msgspec.Struct, frozen=True):
    """The body of a `frontier` event: the points of one mix that are on the frontier of any Throughput, by time.

    A point leaves when it is beaten or seven days old. What it beat meanwhile is not remembered: the next window that
    comes there takes its place.
    """

    points: tuple[OperatingPoint, ...]

    def with_window(self, window: OperatingPoint) -> Frontier:
        """After another window, which is the last; the same where it changes nothing."""
        trailing = [point for point in self.points if point.to_ms > window.to_ms - TRAILING_MS]
        points = thinned(on_any([*trailing, window]))
        return self if points == self.points else Frontier(points)

    def at(self, now_ms: int) -> tuple[OperatingPoint, ...]:
        """Its points that are not too old."""
        return tuple(point for point in self.points if point.to_ms > now_ms - TRAILING_MS)


EMPTY = Frontier(())


def non_dominated(points: Iterable[OperatingPoint], throughput: Throughput) -> list[OperatingPoint]:
    """The points that no other beats, fastest for its users first; of equal ones the earliest."""
    known = [
        (-interactivity, -value, point.to_ms, point)
        for point in points
        if (interactivity := point.interactivity) is not None and (value := throughput.of(point)) is not None
    ]
    kept: list[OperatingPoint] = []
    highest: float | None = None
    for _, negative, _, point in sorted(known, key=lambda each: each[:3]):
        if highest is None or -negative > highest:
            highest = -negative
            kept.append(point)
    return kept


def on_any(points: Sequence[OperatingPoint]) -> tuple[OperatingPoint, ...]:
    """The points on the frontier of any Throughput, by time."""
    kept = {point.to_ms: point for throughput in Throughput for point in non_dominated(points, throughput)}
    return tuple(kept[to_ms] for to_ms in sorted(kept))


def thinned(points: tuple[OperatingPoint, ...]) -> tuple[OperatingPoint, ...]:
    """No more than MOST_POINTS: those go whose neighbours are nearest in interactivity; no frontier loses an end."""
    kept = sorted(points, key=lambda point: (point.interactivity or 0.0, point.to_ms))
    ends = {id(end) for throughput in Throughput for end in _ends(non_dominated(points, throughput))}
    while len(kept) > MOST_POINTS:
        inner = [i for i in range(1, len(kept) - 1) if id(kept[i]) not in ends]
        del kept[min(inner, key=lambda i: (kept[i + 1].interactivity or 0.0) - (kept[i - 1].interactivity or 0.0))]
    return tuple(sorted(kept, key=lambda point: point.to_ms))


def _ends(frontier: Sequence[OperatingPoint]) -> Sequence[OperatingPoint]:
    return (frontier[0], frontier[-1]) if frontier else ()


def gap(point: OperatingPoint, frontier: Iterable[OperatingPoint], throughput: Throughput) -> float | None:
    """How far a point is below its own frontier, 0..1: 1 − its throughput ÷ the most that was seen at its interactivity
    or better. A step, not a curve through the points: it claims nothing that was not seen. 0 on the frontier and
    beyond; None where nothing as fast was seen."""
    interactivity, value = point.interactivity, throughput.of(point)
    if interactivity is None or value is None:
        return None
    as_fast = [each for each in frontier if (each.interactivity or 0.0) >= interactivity]
    highest = max((known for each in as_fast if (known := throughput.of(each)) is not None), default=None)
    return max(0.0, 1 - value / highest) if highest else None


# --- the user's box ---------------------------------------------------------------------------------------------------


class Box(msgspec.Struct, frozen=True):
    """What is fast enough and cheap enough; None where the user set no limit."""

    tok_s_per_user_at_least: float | None = None
    usd_per_m_output_at_most: float | None = None

    @property
    def set(self) -> bool:
        return self.tok_s_per_user_at_least is not None or self.usd_per_m_output_at_most is not None

    def side(self, interactivity: float | None, usd_per_m_output: float | None) -> str:
        """ "inside" | "too slow" | "too dear" | "too slow and too dear" | "unknown"; "" without a box."""
        if not self.set:
            return ""
        slow = _misses(self.tok_s_per_user_at_least, interactivity, lambda value, least: value < least)
        dear = _misses(self.usd_per_m_output_at_most, usd_per_m_output, lambda value, most: value > most)
        if slow or dear:
            return " and ".join(word for word, missed in (("too slow", slow), ("too dear", dear)) if missed)
        return "unknown" if slow is None or dear is None else "inside"


def _misses(limit: float | None, value: float | None, beyond: Callable[[float, float], bool]) -> bool | None:
    """Whether a limit is missed; None where that is not known."""
    if limit is None:
        return False
    return None if value is None else beyond(value, limit)


class Worth(NamedTuple):
    """Dollars of one point; None is unknown."""

    usd_per_m_output: float | None = None
    profit_usd_per_hour: float | None = None


def best(
    points: Iterable[OperatingPoint], box: Box, worth: Callable[[OperatingPoint], Worth], throughput: Throughput
) -> OperatingPoint | None:
    """Of the points inside the box (all without one) that of the highest profit, else of the highest throughput; None
    where none is inside. Profit counts only where it is known of every one of them."""
    valued = [(point, worth(point)) for point in points]
    inside = [
        (point, each)
        for point, each in valued
        if box.side(point.interactivity, each.usd_per_m_output) in ("inside", "")
    ]
    if inside and all(each.profit_usd_per_hour is not None for _, each in inside):
        return max(inside, key=lambda pair: pair[1].profit_usd_per_hour or 0.0)[0]
    known = [(value, point) for point, _ in inside if (value := throughput.of(point)) is not None]
    return max(known, key=lambda pair: (pair[0], -pair[1].to_ms))[1] if known else None
