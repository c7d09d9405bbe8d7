"""Axes: ticks are round, evenly spaced, and no more than there is room for."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.charts.axis import round_up, ticks, time_ticks

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
TOPS = st.floats(min_value=1e-6, max_value=1e12)


def mantissa(value: float) -> Decimal:
    exact = Decimal(repr(value))
    return exact.scaleb(-exact.adjusted()).normalize()


@given(TOPS, st.integers(2, 20))
def test_ticks_begin_at_zero_end_within_the_top_and_are_evenly_spaced(top: float, most: int) -> None:
    values = ticks(top, most)
    assert values[0] == 0
    assert values[-1] <= top
    assert 1 <= len(values) <= most
    gaps = [after - before for before, after in pairwise(values)]
    assert all(math.isclose(gap, gaps[0], rel_tol=1e-9) for gap in gaps)
    assert not gaps or mantissa(values[1]) in (1, 2, 5)


@given(TOPS, st.integers(2, 20))
def test_ticks_are_as_many_as_the_next_closer_step_does_not_allow(top: float, most: int) -> None:
    assert len(ticks(top, most)) > most / 2.5 - 1


@pytest.mark.parametrize(
    ("top", "most", "expected"),
    [
        (4000, 3, (0, 2000, 4000)),
        (800, 3, (0, 500)),
        (8, 3, (0, 5)),
        (0.3, 5, (0, 0.1, 0.2, 0.3)),
        (0, 5, (0,)),
        (700, 1, (0,)),
        (700, 0, ()),
    ],
)
def test_ticks_of_known_tops(top: float, most: int, expected: tuple[float, ...]) -> None:
    assert ticks(top, most) == expected


@given(TOPS)
def test_an_axis_ends_at_a_round_value_not_far_above_its_top(top: float) -> None:
    end = round_up(top)
    assert top <= end <= top * 1.5 * (1 + 1e-9)
    assert mantissa(end) in {Decimal(step) for step in ("1", "1.5", "2", "3", "4", "5", "6", "8")}


def test_an_axis_of_nothing_ends_at_one() -> None:
    assert round_up(0) == 1.0


@given(
    st.integers(0, 4_000_000_000_000),
    st.integers(1, 400 * DAY_MS),
    st.integers(-14 * 4, 14 * 4).map(lambda quarters: quarters * 900),
    st.integers(1, 12),
)
def test_time_ticks_are_round_on_the_local_clock_and_inside(
    from_ms: int, length_ms: int, offset: int, most: int
) -> None:
    found = time_ticks(from_ms, from_ms + length_ms, offset, most)
    assert len(found) <= most
    assert all(from_ms <= at_ms <= from_ms + length_ms for at_ms in found)
    gaps = {after - before for before, after in pairwise(found)}
    assert len(gaps) <= 1
    assert all((at_ms + offset * 1000) % gap == 0 for at_ms in found for gap in gaps)


def test_time_ticks_of_an_hour_are_every_ten_minutes_where_six_fit() -> None:
    start_ms = 12 * HOUR_MS + 37 * MINUTE_MS
    assert time_ticks(start_ms, start_ms + HOUR_MS, 0, 6) == tuple(
        12 * HOUR_MS + minutes * MINUTE_MS for minutes in (40, 50, 60, 70, 80, 90)
    )


def test_time_ticks_of_a_week_are_local_midnights() -> None:
    found = time_ticks(0, 7 * DAY_MS, 2 * 3600, 8)
    assert found == tuple(day * DAY_MS - 2 * HOUR_MS for day in range(1, 8))


def test_no_time_ticks_without_room_or_time() -> None:
    assert time_ticks(0, HOUR_MS, 0, 0) == ()
    assert time_ticks(HOUR_MS, 0, 0, 5) == ()
