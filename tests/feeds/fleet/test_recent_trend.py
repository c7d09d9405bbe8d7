"""The last minutes of a fleet, kept in memory."""

from __future__ import annotations

from tokwatch.feeds.fleet.recent_trend import POINTS, STEP_MS, RecentTrend, trend_point
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.tally import FlowTally, HostTally, TrendPoint

SERVING, PARKED = State.SERVING.value, State.PARKED.value
BUSY = HostTally("h1", 0, 10_000, power_w=700.0, states=((SERVING, 2),), flows=(FlowTally("m", output_tokens=500),))
IDLE = HostTally("h2", 0, 10_000, power_w=140.0, states=((PARKED, 2),))
DOWN = HostTally("h3", 0, 0, up=False)


def test_hosts_add_up() -> None:
    assert trend_point(5, [BUSY, IDLE, BUSY, DOWN]) == TrendPoint(5, 100.0, 1540.0, 2)


def test_unknown_is_what_nobody_tells() -> None:
    assert trend_point(5, [DOWN]) == TrendPoint(5, None, None, None)


def test_points_stand_on_whole_steps() -> None:
    trend = RecentTrend()
    trend.add(STEP_MS + 1, [BUSY])
    trend.add(2 * STEP_MS - 1, [IDLE])
    assert [point.at_ms for point in trend.add(2 * STEP_MS, [IDLE])] == [STEP_MS, 2 * STEP_MS]


def test_there_is_no_point_before_a_host_is_up() -> None:
    assert RecentTrend().add(STEP_MS, [DOWN]) == ()


def test_half_an_hour_is_kept() -> None:
    trend = RecentTrend()
    for step in range(POINTS + 9):
        points = trend.add(step * STEP_MS, [BUSY])
    assert len(points) == POINTS
