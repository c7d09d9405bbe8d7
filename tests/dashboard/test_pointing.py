"""Which figure is next to which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.pointing import Direction, Target, at, following, found_again, neighbour
from tokwatch.ledger.figure_path import FigurePath


def target(y: int, x: int, width: int = 4, name: str = "") -> Target:
    return Target(y, x, width, FigurePath("gpu", name or f"{y}.{x}"), "1 551")


GRID = [target(y, x) for y in (10, 11, 12) for x in (20, 40, 60)]
grids = st.lists(
    st.builds(target, st.integers(0, 40), st.integers(0, 110), st.integers(1, 10)),
    min_size=1,
    unique_by=lambda one: one[:2],
)


@pytest.mark.parametrize(
    ("direction", "where"), [("left", (11, 20)), ("right", (11, 60)), ("up", (10, 40)), ("down", (12, 40))]
)
def test_in_a_table_the_next_one_is_in_the_same_row_or_column(direction: Direction, where: tuple[int, int]) -> None:
    found = neighbour(target(11, 40), GRID, direction)
    assert found is not None
    assert (found.y, found.x) == where


def test_at_the_edge_there_is_no_further_one() -> None:
    assert neighbour(target(10, 20), GRID, "up") is None
    assert neighbour(target(10, 20), GRID, "left") is None


def test_a_figure_right_below_is_nearer_than_one_in_the_next_row_far_aside() -> None:
    below, aside = target(16, 40), target(11, 90)
    assert neighbour(target(10, 40), [below, aside], "down") == below


@given(grids, st.sampled_from(["left", "right", "up", "down"]))
def test_going_on_in_a_direction_ends(among: list[Target], direction: Direction) -> None:
    here: Target | None = among[0]
    for _ in range(len(among)):
        assert here is not None
        here = neighbour(here, among, direction)
        if here is None:
            return
    pytest.fail("went in a circle")


@given(grids)
def test_with_tab_every_figure_is_come_to_and_the_first_follows_the_last(among: list[Target]) -> None:
    here, seen = among[0], []
    for _ in among:
        seen.append(here)
        here = following(here, among, 1)
    assert seen == among
    assert here == among[0]
    assert following(here, among, -1) == among[-1]


def test_the_same_figure_is_found_where_it_was_of_two_places_that_it_stands_at() -> None:
    tile, closing = target(3, 2, name="tok_s"), target(21, 38, name="tok_s")
    assert found_again(target(20, 38, name="tok_s"), [tile, closing]) == closing


def test_where_a_figure_is_gone_the_one_that_stands_nearest_is_pointed_at() -> None:
    assert found_again(target(12, 41, name="gone"), GRID) == target(12, 40)
    assert found_again(target(12, 41), []) is None


def test_a_press_finds_the_figure_under_it() -> None:
    assert at(42, 11, GRID) == target(11, 40)
    assert at(44, 11, GRID) is None
