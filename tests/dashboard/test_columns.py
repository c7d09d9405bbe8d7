"""Columns: whatever the width, they stand beside one another, between the margins."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.columns import MARGIN, Column, Columns
from tokwatch.dashboard.widgets import alert_table, server_list

LIST = Columns(
    (
        Column("name", 0, 10, 4, 20, 0),
        Column("wide", 2, 30, 10, 60, 60),
        Column("figure", 2, 7, 7, 7, 0),
    ),
    gives_way=("wide", "name"),
    grows=("name",),
)


def test_what_gives_way_is_cut_to_its_least_and_no_further() -> None:
    assert LIST.places(60) == LIST.places(60)
    assert LIST.places(60)["wide"].width == 30
    assert Columns(LIST.every, gives_way=("name",)).places(20)["name"].width == 9
    assert LIST.places(10)["name"].width == 4


def test_a_column_goes_below_its_width() -> None:
    assert list(LIST.places(59)) == ["name", "figure"]
    assert list(LIST.places(60)) == ["name", "wide", "figure"]


def test_what_grows_takes_the_room_first_and_the_rest_is_spread() -> None:
    places = LIST.places(100)
    assert places["name"].width == 20
    assert places["figure"].end == 100 - MARGIN


@pytest.mark.parametrize("columns", [server_list.COLUMNS, alert_table.COLUMNS], ids=["servers", "alerts"])
@given(width=st.integers(80, 400))
def test_lists_fill_any_terminal_and_no_column_covers_another(columns: Columns, width: int) -> None:
    places = list(columns.places(width).values())
    assert all(left.end < right.x for left, right in pairwise(places))
    assert places[0].x >= MARGIN
    assert places[-1].end <= width - MARGIN
