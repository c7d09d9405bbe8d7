"""The room that a grid of options takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.widgets.option_grid import rows_of


@given(st.lists(st.integers(1, 60), max_size=40), st.integers(1, 240))
def test_all_options_have_a_place_and_as_few_rows_as_possible(widths: list[int], room: int) -> None:
    rows = rows_of(widths, room)
    across = max(1, (room + 2) // (max(widths, default=0) + 2))
    assert rows * across >= len(widths)
    assert (rows - 1) * across < max(1, len(widths))


def test_columns_are_two_apart() -> None:
    assert rows_of([10, 4, 10], 34) == 1
    assert rows_of([10, 4, 10], 33) == 2
