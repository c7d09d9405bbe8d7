"""The frontier: what nothing beats, how it grows and ages; the gap below it; the box and the best point in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.capacity.points import DAY_MS, MINUTE_MS, point, seen
from tokwatch.ledger.capacity.frontier import EMPTY, MOST_POINTS, Box, Worth, best, gap, non_dominated, on_any, thinned
from tokwatch.ledger.capacity.operating_point import OperatingPoint, Throughput

PER_GPU = Throughput.OUTPUT_PER_GPU

some_points = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(100, 700)), min_size=1, max_size=40
).map(
    lambda each: [
        seen(minute, tok_s * 50, user * 5, energy_mj=watts * 240_000)
        for minute, (tok_s, user, watts) in enumerate(each)
    ]
)


def beats(one: OperatingPoint, other: OperatingPoint, throughput: Throughput) -> bool:
    """As much of both, and more of one."""
    a, b = (one.interactivity or 0, throughput.of(one) or 0), (other.interactivity or 0, throughput.of(other) or 0)
    return a[0] >= b[0] and a[1] >= b[1] and a != b


@given(some_points, st.sampled_from(Throughput))
def test_a_frontier_holds_no_point_that_another_beats(points: list[OperatingPoint], throughput: Throughput) -> None:
    kept = non_dominated(points, throughput)
    assert not any(beats(other, one, throughput) for one in kept for other in points)


@given(some_points, st.sampled_from(Throughput))
def test_what_is_not_on_the_frontier_is_beaten_or_equal_to_an_earlier_point(
    points: list[OperatingPoint], throughput: Throughput
) -> None:
    kept = non_dominated(points, throughput)
    for left in (each for each in points if each not in kept):
        equal = (left.interactivity, throughput.of(left))
        assert any(
            beats(one, left, throughput)
            or ((one.interactivity, throughput.of(one)) == equal and one.to_ms < left.to_ms)
            for one in kept
        )


@given(some_points)
def test_a_new_window_removes_only_points_that_it_beats(points: list[OperatingPoint]) -> None:
    frontier = EMPTY
    for window in points:
        before, frontier = frontier, frontier.with_window(window)
        for left in set(before.points) - set(frontier.points):
            on = [each for each in Throughput if left in non_dominated(before.points, each)]
            assert all(beats(window, left, each) for each in on)


@given(some_points)
def test_windows_taken_in_one_by_one_make_the_frontier_of_all(points: list[OperatingPoint]) -> None:
    frontier = EMPTY
    for window in points:
        frontier = frontier.with_window(window)
    assert frontier.points == on_any(points)


def test_a_window_that_adds_nothing_leaves_the_frontier_as_it_is() -> None:
    frontier = EMPTY.with_window(seen(0, 1_000, 50))
    assert frontier.with_window(seen(1, 900, 40)) is frontier


def test_a_window_without_a_finished_request_is_no_point() -> None:
    assert EMPTY.with_window(point(latency_n=0, latency_us=0)) is EMPTY


def test_a_point_leaves_after_seven_days() -> None:
    frontier = EMPTY.with_window(seen(0, 1_000, 50)).with_window(seen(8 * DAY_MS // MINUTE_MS, 500, 20))
    assert [each.output_tok_s_per_gpu for each in frontier.points] == [500]


def test_an_old_point_is_not_shown_though_no_window_came_since() -> None:
    frontier = EMPTY.with_window(seen(0, 1_000, 50))
    assert frontier.at(frontier.points[0].to_ms + 7 * DAY_MS) == ()


def test_more_points_than_can_be_kept_are_thinned_and_the_ends_stay() -> None:
    curve = tuple(seen(n, 2_000 - 10 * n, 20 + n) for n in range(100))
    kept = thinned(curve)
    assert len(kept) == MOST_POINTS
    assert {curve[0], curve[-1]} <= set(kept)
    assert set(kept) <= set(curve)


# --- the gap ----------------------------------------------------------------------------------------------------------


def test_the_gap_is_measured_against_the_most_seen_at_this_interactivity_or_better() -> None:
    frontier = on_any([seen(0, 2_000, 20), seen(1, 1_000, 50), seen(2, 400, 90)])
    assert gap(seen(3, 750, 45), frontier, PER_GPU) == pytest.approx(0.25)
    assert gap(seen(3, 1_000, 50), frontier, PER_GPU) == 0
    assert gap(seen(3, 5_000, 45), frontier, PER_GPU) == 0
    assert gap(seen(3, 300, 95), frontier, PER_GPU) is None


# --- the box ----------------------------------------------------------------------------------------------------------

BOX = Box(tok_s_per_user_at_least=40, usd_per_m_output_at_most=0.5)


@pytest.mark.parametrize(
    ("tok_s_per_user", "usd", "side"),
    [
        (40, 0.5, "inside"),
        (39, 0.4, "too slow"),
        (60, 0.6, "too dear"),
        (39, 0.6, "too slow and too dear"),
        (60, None, "unknown"),
        (39, None, "too slow"),
        (None, 0.6, "too dear"),
    ],
)
def test_a_point_is_on_one_side_of_the_box(tok_s_per_user: float | None, usd: float | None, side: str) -> None:
    assert BOX.side(tok_s_per_user, usd) == side


def test_without_limits_there_is_no_box() -> None:
    assert Box().side(1, 1) == ""
    assert Box(tok_s_per_user_at_least=40).side(50, None) == "inside"


FAST, CHEAP, BOTH = seen(0, 500, 90), seen(1, 2_000, 20), seen(2, 1_200, 45)
COSTS = {FAST.to_ms: 0.9, CHEAP.to_ms: 0.2, BOTH.to_ms: 0.4}
PROFITS = {FAST.to_ms: 9.0, CHEAP.to_ms: 3.0, BOTH.to_ms: 6.0}


def test_the_best_point_is_the_highest_inside_the_box() -> None:
    assert best([FAST, CHEAP, BOTH], BOX, lambda each: Worth(COSTS[each.to_ms]), PER_GPU) is BOTH
    assert best([FAST, CHEAP], BOX, lambda each: Worth(COSTS[each.to_ms]), PER_GPU) is None


def test_without_a_box_the_best_point_is_the_highest_of_all() -> None:
    assert best([FAST, CHEAP, BOTH], Box(), lambda _: Worth(), PER_GPU) is CHEAP


def test_with_prices_the_best_point_is_that_of_the_highest_profit() -> None:
    assert best([FAST, CHEAP, BOTH], Box(), lambda each: Worth(None, PROFITS[each.to_ms]), PER_GPU) is FAST


def test_profit_that_is_known_of_some_points_only_decides_nothing() -> None:
    assert best([FAST, CHEAP], Box(), lambda each: Worth(None, 9.0 if each is FAST else None), PER_GPU) is CHEAP
