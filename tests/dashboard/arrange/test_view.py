"""Order, groups and sums of the GPU list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, GPUS, many_gpus
from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.filter import parse
from tokwatch.dashboard.arrange.view import Arrangement, Group, Listing, Sort, View, arrange, folding
from tokwatch.ledger.snapshot import Figure, GpuRow

SORTED_BY = [key for key, field in FIELDS.items() if field.letter]


def order(view: View) -> list[int]:
    return [row.index for row in arrange(BOX, view).gpus]


def lines(shown: Arrangement) -> list[str | int]:
    return [item.name if isinstance(item, Group) else item.index for item in shown.items]


def test_without_a_choice_the_rows_are_the_snapshots_own() -> None:
    shown = arrange(BOX, View())
    assert shown.items is BOX.gpus
    assert shown.sums is None


@pytest.mark.parametrize(
    ("key", "first"),
    [
        ("idle_usd", [7, 6, 5]),
        ("tok_s", [5, 4, 0]),
        ("power", [4, 2, 0]),
        ("usd_per_m", [6, 0, 1]),  # cost without tokens is the highest
        ("for", [0, 1, 2]),
        ("state", [4, 7, 6]),  # what is wrong, then what is wasted
        ("serves", [4, 5, 6]),
    ],
)
def test_a_field_sorts_the_way_that_is_looked_for(key: str, first: list[int]) -> None:
    assert order(View(sort=Sort().chosen(key)))[:3] == first


def test_the_same_field_again_turns_the_order_round_and_another_does_not() -> None:
    once = Sort().chosen("tok_s")
    assert order(View(sort=once.chosen("tok_s")))[0] == 6
    assert once.chosen("tok_s").chosen("power") == Sort("power", falling=True)
    assert Sort().chosen("gpu").chosen("gpu") == Sort()


@pytest.mark.parametrize("falling", [True, False])
def test_what_is_not_known_comes_last_either_way(falling: bool) -> None:
    assert order(View(sort=Sort("tok_s", falling)))[-1] == 7


@given(st.sampled_from(SORTED_BY), st.booleans(), st.lists(st.none() | st.integers(0, 3), max_size=12))
def test_sorting_loses_nothing_and_leaves_equal_rows_in_their_order(
    key: str, falling: bool, watts: list[int | None]
) -> None:
    rows = tuple(
        replace(GPUS[0], index=at, entity=at, power_w=Figure(None if value is None else float(value)))
        for at, value in enumerate(watts)
    )
    shown = arrange(replace(BOX, gpus=rows), View(sort=Sort(key, falling))).gpus
    assert {row.index for row in shown} == set(range(len(watts)))
    if key == "power":
        for value in (None, 0.0, 1.0, 2.0, 3.0):
            equal = [row.index for row in shown if row.power_w.value == value]
            assert equal == sorted(equal)


@pytest.mark.parametrize("falling", [True, False])
def test_rows_that_read_the_same_stay_in_their_order_and_do_not_change_places(falling: bool) -> None:
    dollars = [1.001, 1.004, 1.002, 2.5, 0.0]
    rows = tuple(
        replace(GPUS[0], index=at, entity=at, idle_usd_today=Figure(value)) for at, value in enumerate(dollars)
    )
    shown = arrange(replace(BOX, gpus=rows), View(sort=Sort("idle_usd", falling))).gpus
    assert [row.index for row in shown] == ([3, 0, 1, 2, 4] if falling else [4, 0, 1, 2, 3])


def test_groups_stand_in_the_order_of_their_first_rows() -> None:
    shown = arrange(BOX, View(group="deployment", sort=Sort("idle_usd", falling=True)))
    numbers = [line for line in lines(shown) if isinstance(line, int)]
    assert numbers == [7, 6, 5, 0, 1, 2, 3, 4]
    assert [at for at, line in enumerate(lines(shown)) if isinstance(line, str)] == [0, 2, 5, 10]
    assert lines(shown)[0] == "(unassigned)"


def test_a_folded_group_keeps_its_line_and_its_sums() -> None:
    view = folding(View(group="state"), "serving")
    shown = arrange(BOX, view)
    assert lines(shown)[:2] == ["serving", "saturated"]
    assert isinstance(shown.items[0], Group)
    assert shown.items[0].sums.gpus == 5
    assert len(shown.gpus) == 8
    assert [row.index for row in shown.open_gpus] == [4, 6, 7]
    assert lines(arrange(BOX, folding(view, "serving"))) == lines(arrange(BOX, View(group="state")))


def test_a_filtered_list_sums_what_is_shown() -> None:
    shown = arrange(BOX, View(filter=parse("idle")))
    assert shown.sums is not None
    assert (shown.sums.gpus, shown.of) == (2, 8)
    assert shown.sums.idle_usd_today.value == pytest.approx(20.44)


def test_a_snapshot_is_arranged_once_for_all_who_draw_it() -> None:
    listing = Listing(View(sort=Sort("power", falling=True)))
    box = many_gpus()
    assert listing.of(box) is listing.of(box)
    assert listing.of(box) is not listing.of(BOX)


def test_every_letter_sorts_by_one_field() -> None:
    letters = [FIELDS[key].letter for key in SORTED_BY]
    assert len(set(letters)) == len(letters)


def test_every_figure_of_a_column_is_one_of_the_row() -> None:
    named = [field.figure for field in FIELDS.values() if field.figure]
    assert all(isinstance(getattr(GPUS[0], name), Figure) for name in named)
    assert {field.full for field in FIELDS.values() if field.full} <= set(GpuRow.__struct_fields__)
