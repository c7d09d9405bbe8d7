"""Stacked columns: true at their top edge, one colour the more of which there is, and silent about nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.stacked import Layer, Stacked, resampled
from tokwatch.dashboard.theme import DARK, Look

MIDNIGHT_MS = 1_777_852_800_000  # 2026-05-04 00:00 UTC
QUARTER_MS = 900_000
LOOK, ASCII = Look(), Look(ascii_only=True)
EIGHTHS = " ▁▂▃▄▅▆▇█"


def stacked(*layers: tuple[float | None, ...]) -> Stacked:
    roles = ("s3", "s0", "waste_fill")
    return Stacked(
        tuple(Layer(f"layer {i}", roles[i], values) for i, values in enumerate(layers)),
        MIDNIGHT_MS,
        QUARTER_MS,
        lambda value: f"{value:g}",
        label_width=3,
    )


def texts(chart: Stacked, width: int, height: int, look: Look = LOOK) -> list[str]:
    return [line.text() for line in chart.draw(width, height, look)]


def colours(line: Line) -> list[tuple[str, str | None, str | None]]:
    """(text, colour, ground) of each stretch."""
    return [
        (
            segment.text,
            segment.style.color.name if segment.style and segment.style.color else None,
            segment.style.bgcolor.name if segment.style and segment.style.bgcolor else None,
        )
        for segment in line.strip()
    ]


def test_a_column_is_as_high_as_the_sum_of_its_layers() -> None:
    rows = texts(stacked((4.0,) * 8, (4.0,) * 8), 12, 5)
    assert rows[:4] == ["  8 ████████", "    ████████", "    ████████", "  0 ████████"]


def test_the_top_edge_is_true_to_an_eighth_of_a_cell() -> None:
    rising = tuple(number / 8 for number in range(1, 9))
    assert texts(stacked((*rising[:-1], 4.0)), 12, 5)[3] == "  0 ▁▂▃▄▅▆▇█"


def test_two_layers_meet_within_a_cell_in_two_colours() -> None:
    lines = stacked((1.5,) * 8, (2.5,) * 8).draw(12, 5, LOOK)
    assert ("▄" * 8, DARK.s3, DARK.s0) in colours(lines[2])


def test_of_three_layers_in_a_cell_the_two_larger_are_drawn() -> None:
    lines = stacked((0.5,) * 8, (0.125,) * 8, (3.375,) * 8).draw(12, 5, LOOK)
    assert ("▄" * 8, DARK.s3, DARK.waste_fill) in colours(lines[3])


def test_a_thin_layer_at_the_bottom_is_seen() -> None:
    lines = stacked((0.01,) * 8, (3.99,) * 8).draw(12, 5, LOOK)
    assert ("▁" * 8, DARK.s3, DARK.s0) in colours(lines[3])


def test_a_gap_is_told() -> None:
    values = (4.0, 4.0, None, None, 4.0, 4.0, 4.0, 4.0)
    assert texts(stacked(values), 12, 5)[2:4] == ["    ██  ████", "  0 ██··████"]


def test_what_is_known_in_part_is_drawn_with_a_dot_above() -> None:
    rows = texts(stacked((2.0,) * 8, (2.0,) * 7 + (None,)), 12, 5)
    assert rows[:4] == ["  4 ███████ ", "    ███████·", "    ████████", "  0 ████████"]


def test_times_stand_below_and_the_end_is_named() -> None:
    times = texts(replace(stacked((1.0,) * 96), end="now"), 70, 6)[-1]
    assert times.split() == ["04", "May", "06:00", "12:00", "18:00", "now"]


def test_without_block_characters_layers_are_told_apart_by_their_filling() -> None:
    chart = stacked((2.0,) * 8, (2.0,) * 8)
    rows = texts(chart, 12, 5, ASCII)
    assert rows[0].endswith(chart.swatch(1, ASCII) * 8)
    assert rows[3].endswith(chart.swatch(0, ASCII) * 8)
    assert all(row.isascii() for row in rows)


@pytest.mark.parametrize("size", [(8, 5), (40, 3), (40, 0)])
def test_too_little_room_is_left_blank(size: tuple[int, int]) -> None:
    rows = texts(stacked((4.0,) * 8), *size)
    assert len(rows) == size[1]
    assert not "".join(rows).strip()


values = st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=120)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=120), st.integers(1, 150))
def test_resampling_keeps_the_area(known: list[float], columns: int) -> None:
    drawn = resampled(known, columns)
    assert all(value is not None for value in drawn)
    assert sum(value or 0.0 for value in drawn) / columns == pytest.approx(sum(known) / len(known))


@given(values, st.integers(1, 150))
def test_a_column_without_a_known_bucket_is_unknown(some: list[float | None], columns: int) -> None:
    drawn = resampled(some, columns)
    assert len(drawn) == columns
    if all(value is None for value in some):
        assert set(drawn) == {None}


def test_a_bucket_that_nobody_watched_shows_wherever_it_falls() -> None:
    for gap in range(96):
        assert None in resampled([None if number == gap else 1.0 for number in range(96)], 66)


@given(values, values, st.integers(0, 90), st.integers(0, 14), st.booleans())
def test_it_fills_its_rectangle_and_nothing_else(
    lower: list[float | None], upper: list[float | None], width: int, height: int, ascii_only: bool
) -> None:
    length = min(len(lower), len(upper))
    chart = stacked(tuple(lower[:length]), tuple(upper[:length]))
    lines = chart.draw(width, height, Look(ascii_only=ascii_only))
    assert [len(line.text()) for line in lines] == [width] * height
