"""The fleet's half hour before an instant, a point a minute. Minutes that are known are not asked for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec.structs import replace

from collectors.prometheus.answers import Matrix
from collectors.prometheus.expressions import FIGURE
from tokwatch.feeds.fleet.recent_trend import trend_point
from tokwatch.ledger.fleet.tally import FleetTally, TrendPoint

STEP_S: Final = 60
POINTS: Final = 30
_KEPT: Final = 48 * POINTS  # a day of minutes that were looked at


class Stretch(NamedTuple):
    """Minutes to ask for, Unix seconds, both ends included."""

    start_s: int
    end_s: int


class Trend:
    """Points by minute: out of range queries, and of a live fleet's own tallies."""

    def __init__(self) -> None:
        self._points: OrderedDict[int, TrendPoint] = OrderedDict()

    def until(self, at_ms: int) -> tuple[TrendPoint, ...]:
        """What is known of the half hour, oldest first."""
        return tuple(self._points[minute] for minute in _minutes(at_ms) if minute in self._points)

    def missing(self, at_ms: int) -> Stretch | None:
        """The stretch that holds all minutes which are not known; None: all are."""
        unknown = [minute for minute in _minutes(at_ms) if minute not in self._points]
        return Stretch(unknown[0] * STEP_S, unknown[-1] * STEP_S) if unknown else None

    def fill(self, stretch: Stretch, points: Iterable[TrendPoint]) -> None:
        """With what was answered; minutes without an answer are known to have none."""
        answered = {_minute(point.at_ms): point for point in points}
        for minute in range(_minute(stretch.start_s * 1000), _minute(stretch.end_s * 1000) + 1):
            unknown = TrendPoint(minute * STEP_S * 1000, None, None, None)
            self._keep(minute, answered.get(minute, unknown))

    def carry_on(self, tally: FleetTally) -> None:
        """With the first tally of each minute."""
        minute = _minute(tally.at_ms)
        if minute not in self._points:
            self._keep(minute, trend_point(tally.at_ms, tally.hosts))

    def _keep(self, minute: int, point: TrendPoint) -> None:
        self._points.setdefault(minute, point)
        while len(self._points) > _KEPT:
            self._points.popitem(last=False)


def points_of(answers: Iterable[Matrix], window_s: float) -> tuple[TrendPoint, ...]:
    """Points of the figures "power_w", "output_tokens" and "gpus_idle", each the sum of its parts."""
    points: dict[int, TrendPoint] = {}
    for answer in answers:
        for labels, times_s, values in zip(answer.labels, answer.times_s, answer.values, strict=True):
            for at_s, value in zip(times_s, values, strict=True):
                at_ms = round(at_s * 1000)
                point = points.get(at_ms, TrendPoint(at_ms, None, None, None))
                points[at_ms] = _with(point, labels.get(FIGURE, ""), value, window_s)
    return tuple(points[at_ms] for at_ms in sorted(points))


def _with(point: TrendPoint, figure: str, value: float, window_s: float) -> TrendPoint:
    match figure:
        case "power_w":
            return replace(point, power_w=(point.power_w or 0.0) + value)
        case "output_tokens":
            return replace(point, output_tok_s=(point.output_tok_s or 0.0) + value / window_s)
        case "gpus_idle":
            return replace(point, gpus_idle=(point.gpus_idle or 0) + round(value))
    return point


def _minute(at_ms: int) -> int:
    return at_ms // (STEP_S * 1000)


def _minutes(at_ms: int) -> range:
    return range(_minute(at_ms) - POINTS + 1, _minute(at_ms) + 1)
