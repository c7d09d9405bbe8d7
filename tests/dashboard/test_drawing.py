"""Small drawings: big figures, sparklines, bars, states."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.glyphs import STATE_ORDER, look_of_state, to_ascii
from tokwatch.dashboard.theme import DARK, LIGHT, ROLES
from tokwatch.dashboard.widgets.big_figure import big_figure
from tokwatch.dashboard.widgets.sparkline import bar, blocks, braille
from tokwatch.ledger.entries import State

VALUES = st.lists(st.none() | st.floats(min_value=0, max_value=1e9), max_size=90)


def test_a_big_figure_is_three_rows_of_half_blocks() -> None:
    assert big_figure("4.2") == ("█ █   ▀▀█", "▀▀█   █▀▀", "  ▀ ▀ ▀▀▀")


def test_a_text_without_a_big_form_has_none() -> None:
    assert big_figure("1.2k") is None


@given(VALUES)
def test_a_sparkline_has_one_cell_a_value_and_is_blank_where_nothing_was_measured(values: list[float | None]) -> None:
    drawn = blocks(values)
    assert len(drawn) == len(values)
    assert [cell == " " for cell in drawn] == [value is None for value in values]


def test_a_sparkline_is_capped_so_that_rows_do_not_fuse() -> None:
    assert blocks([0, 5, 10]) == "▁▄▇"


@given(VALUES, st.integers(1, 40), st.integers(1, 4))
def test_braille_fills_its_rectangle(values: list[float | None], width: int, height: int) -> None:
    rows = braille(values, width, height)
    assert len(rows) == height
    assert all(len(row) == width for row in rows)


def test_braille_keeps_the_newest_values_at_the_right() -> None:
    assert braille([9.0] * 10 + [0.0, 0.0, 8.0, 8.0], 2, 1) == ["⣀⣿"]


def test_few_values_are_stretched_over_the_width() -> None:
    assert braille([4.0, 8.0], 2, 1) == ["⣤⣿"]


@pytest.mark.parametrize(("share", "drawn"), [(0, (0, False)), (0.5, (5, False)), (0.66, (6, True)), (2, (10, False))])
def test_a_bar_moves_in_half_cells_and_stops_when_full(share: float, drawn: tuple[int, bool]) -> None:
    assert bar(share, 10) == drawn


def test_every_state_of_the_ledger_has_a_glyph_a_word_and_a_colour() -> None:
    for state in State:
        name = state.name.lower().replace("_", " ")
        assert name in STATE_ORDER
        assert {look_of_state(name).role, look_of_state(name).mark_role} <= ROLES


def test_idle_states_are_told_apart_from_others_without_colour() -> None:
    marks = {state.idle: set[str]() for state in State}
    for state in State:
        marks[state.idle].add(look_of_state(state.name.lower().replace("_", " ")).mark)
    assert not marks[True] & marks[False]


def test_unallocated_is_called_free() -> None:
    assert look_of_state("unallocated").word == "free"


def test_a_state_of_a_later_version_keeps_its_word() -> None:
    assert look_of_state("dreaming").word == "dreaming"


@pytest.mark.parametrize("state", STATE_ORDER)
def test_every_glyph_has_a_stand_in_of_one_cell(state: str) -> None:
    look = look_of_state(state)
    for glyph in (look.glyph, look.mark):
        assert to_ascii(glyph) != "?"
        assert len(to_ascii(glyph)) == 1


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("role", ["text", "quiet", "work", "waste", "alarm", "ui", "bright"])
@pytest.mark.parametrize("ground", ["bg", "surface"])
def test_what_carries_a_fact_can_be_read(palette: object, role: str, ground: str) -> None:
    high, low = sorted((luminance(getattr(palette, role)), luminance(getattr(palette, ground))), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5
