"""Time grids stand still: the same instant stays in the same cell until all cells move by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.time_grid import SPANS_MS, time_grid

CELLS = st.integers(8, 250)
MOMENTS = st.integers(1_700_000_000_000, 1_900_000_000_000)


@given(st.sampled_from(SPANS_MS), CELLS, MOMENTS)
def test_it_covers_the_span_and_little_more(span_ms: int, cells: int, at_ms: int) -> None:
    grid = time_grid(span_ms, cells, at_ms)
    assert at_ms <= grid.to_ms < at_ms + 2 * grid.step_ms
    assert grid.cells * 2 * grid.step_ms >= span_ms
    assert grid.from_ms % (2 * grid.step_ms) == 0


@given(st.sampled_from(SPANS_MS), CELLS, MOMENTS, st.integers(0, 10_000))
def test_it_moves_by_whole_cells(span_ms: int, cells: int, at_ms: int, later_ms: int) -> None:
    before, after = time_grid(span_ms, cells, at_ms), time_grid(span_ms, cells, at_ms + later_ms)
    assert (after.from_ms - before.from_ms) % (2 * before.step_ms) == 0
    if at_ms + later_ms <= before.to_ms:
        assert after == before


@given(st.sampled_from(SPANS_MS), CELLS, MOMENTS)
def test_only_buckets_that_are_over_are_complete(span_ms: int, cells: int, at_ms: int) -> None:
    grid = time_grid(span_ms, cells, at_ms)
    done = grid.complete(at_ms)
    assert grid.from_ms + done * grid.step_ms <= at_ms
    assert done in (grid.buckets - 2, grid.buckets - 1, grid.buckets)


@pytest.mark.parametrize(
    ("span_ms", "step_ms"),
    [(SPANS_MS[0], 4_000), (SPANS_MS[1], 24_000), (SPANS_MS[4], 600_000), (SPANS_MS[5], 75 * 60_000)],
)
def test_steps_are_whole_seconds_minutes_or_quarter_hours(span_ms: int, step_ms: int) -> None:
    assert time_grid(span_ms, 75, 0).step_ms == step_ms
