"""Every section has a place on some page, none covers another, and what says nothing has no room."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.widgets.money_layout import Rect, Wants, pages

ALL = {"tiles", "chart", "tiers", "ways", "bars", "what_if", "break_even", "details"}
USUAL = Wants(priced=True, tiers=3, ways=3, bars=4)
wants = st.builds(
    Wants, st.just(True), st.integers(0, 12), st.integers(0, 4), st.integers(1, 40), st.booleans(), st.booleans()
)


def overlap(one: Rect, other: Rect) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@given(st.integers(80, 260), st.integers(22, 100), wants)
def test_sections_lie_beside_each_other_and_on_the_screen(width: int, height: int, wants: Wants) -> None:
    for page in pages(width, height, wants):
        for rect in page.values():
            assert rect.x >= 0
            assert rect.x + rect.width <= width
            assert rect.y >= 1
            assert rect.y + rect.height <= height + 1
        assert not any(overlap(one, other) for one, other in combinations(page.values(), 2))


@given(st.integers(80, 260), st.integers(22, 100), wants)
def test_each_section_that_says_something_stands_once(width: int, height: int, wants: Wants) -> None:
    names = [name for page in pages(width, height, wants) for name in page]
    optional = {"ways": bool(wants.ways), "chart": wants.chart, "break_even": wants.break_even}
    assert sorted(names) == sorted(name for name in ALL if optional.get(name, True))


def test_the_usual_terminal_shows_all_but_the_details_at_once() -> None:
    first, second = pages(120, 38, USUAL)
    assert set(first) == ALL - {"details"}
    assert set(second) == {"details"}


def test_a_large_one_shows_everything() -> None:
    (page,) = pages(200, 58, USUAL)
    assert set(page) == ALL


def test_the_smallest_begins_with_the_tiles_and_what_idleness_costs_whom() -> None:
    found = pages(80, 22, USUAL)
    assert [set(page) for page in found] == [
        {"tiles", "bars", "tiers"},
        {"chart", "ways"},
        {"what_if", "break_even"},
        {"details"},
    ]


@pytest.mark.parametrize("size", [(80, 22), (120, 38), (200, 58)])
def test_without_a_price_the_rest_has_all_the_room(size: tuple[int, int]) -> None:
    (page,) = pages(*size, Wants(priced=False))
    assert set(page) == {"tiles", "details"}
