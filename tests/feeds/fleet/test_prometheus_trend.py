"""The half hour before an instant: which minutes are asked for, and what parts come to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.answers import Matrix
from collectors.prometheus.expressions import FIGURE
from tokwatch.feeds.fleet.prometheus_trend import POINTS, STEP_S, Trend, points_of
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.tally import FleetTally, FlowTally, HostTally, TrendPoint

AT_MS = 1_790_000_040_000  # on a minute
STEP_MS = STEP_S * 1000


def known(at_ms: int) -> TrendPoint:
    return TrendPoint(at_ms, 1.0, 2.0, 3)


def test_at_first_the_whole_half_hour_is_asked_for() -> None:
    stretch = Trend().missing(AT_MS)
    assert stretch is not None
    assert stretch.end_s == AT_MS // 1000
    assert stretch.end_s - stretch.start_s == (POINTS - 1) * STEP_S


@given(st.integers(0, 3 * POINTS))
def test_of_a_later_instant_only_the_new_minutes_are_asked_for(minutes: int) -> None:
    trend = Trend()
    stretch = trend.missing(AT_MS)
    assert stretch is not None
    trend.fill(stretch, [])
    more = trend.missing(AT_MS + minutes * STEP_MS)
    asked = 0 if more is None else (more.end_s - more.start_s) // STEP_S + 1
    assert asked == min(minutes, POINTS)


def test_minutes_without_an_answer_are_unknown_and_not_asked_again() -> None:
    trend = Trend()
    stretch = trend.missing(AT_MS)
    assert stretch is not None
    trend.fill(stretch, [known(AT_MS)])
    assert trend.missing(AT_MS) is None
    first, *_, last = trend.until(AT_MS)
    assert first == TrendPoint(AT_MS - (POINTS - 1) * STEP_MS, None, None, None)
    assert last == known(AT_MS)


def test_a_live_fleet_carries_on_with_its_own_tallies() -> None:
    trend = Trend()
    flow = FlowTally(model="Qwen", output_tokens=600)
    states = ((State.PARKED.value, 2), (State.SERVING.value, 6))
    host = HostTally("h1", AT_MS, 60_000, states=states, power_w=900.0, flows=(flow,))
    for later_ms in (5_000, 20_000, 65_000):
        trend.carry_on(FleetTally(AT_MS + later_ms, 60_000, 15.0, "", (host,)))
    assert trend.until(AT_MS + 65_000) == (
        TrendPoint(AT_MS + 5_000, 10.0, 900.0, 2),
        TrendPoint(AT_MS + 65_000, 10.0, 900.0, 2),
    )


def test_parts_of_a_figure_are_added_up() -> None:
    labels = tuple({FIGURE: figure} for figure in ("output_tokens", "output_tokens", "power_w", "gpus_idle"))
    answer = Matrix(labels, ((60.0,),) * 4, ((600.0,), (60.0,), (500.0,), (3.0,)))
    assert points_of([answer], 60) == (TrendPoint(60_000, 11.0, 500.0, 3),)
