"""A dotted curve against a level: where it crosses, what lies above, and words that cover no mark."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.curve import Curve
from tokwatch.dashboard.charts.scatter import Marked
from tokwatch.dashboard.theme import DARK, Look

LOOK = Look()
FALLING = Curve(
    points=tuple((load, 0.42 * 41 / load) for load in range(5, 101)),
    marks=(Marked(41, 0.42, "●", "now", "bright"), Marked(62, 0.28, "◆", "what if", "ui")),
    write_x=lambda value: f"{value:.0f}",
    write_y=lambda value: f"{value:.2f}",
    level=0.60,
    level_label="API price 0.60",
    crossing_label="29 %",
    top=1.2,
)


def texts(curve: Curve, width: int = 45, height: int = 9) -> list[str]:
    return [line.text() for line in curve.draw(width, height, LOOK)]


def dots_in(lines: list[Line], colour: str) -> list[int]:
    """Rows in which the curve has this colour."""
    return [
        row
        for row, line in enumerate(lines)
        for segment in line.strip()
        if segment.style
        and segment.style.color
        and segment.style.color.name == colour
        and any("\u2801" <= char <= "\u28ff" for char in segment.text)
    ]


def test_it_crosses_where_it_comes_down_to_the_level() -> None:
    load, cost = FALLING.crossing() or (0.0, 0.0)
    assert load == pytest.approx(28.7, abs=0.1)
    assert cost == 0.60
    assert "29 %" in " ".join(texts(FALLING))


@pytest.mark.parametrize("level", [None, 0.01, 99.0])
def test_a_curve_that_never_meets_the_level_has_no_crossing(level: float | None) -> None:
    assert replace(FALLING, level=level).crossing() is None


def test_above_the_level_it_is_dear_and_below_it_pays() -> None:
    lines = FALLING.draw(45, 9, LOOK)
    assert max(dots_in(lines, DARK.waste)) <= min(dots_in(lines, DARK.work))


def test_marks_and_their_words_are_there() -> None:
    drawn = "\n".join(texts(FALLING))
    for word in ("●", "◆", "now", "what if", "API price 0.60"):
        assert word in drawn


def test_axes_name_the_top_the_level_and_both_ends() -> None:
    rows = texts(FALLING)
    labels = [row[:6].strip() for row in rows[:-1]]
    assert [label for label in labels if label] == ["1.20", "0.60", "0.00"]
    assert rows[-1].split()[0] == "5"
    assert rows[-1].split()[-1] == "100"


def test_what_lies_above_the_axis_is_cut() -> None:
    low = replace(FALLING, top=0.7)
    assert low.draw(45, 9, LOOK)[0].text()[:6].strip() == "0.70"


@pytest.mark.parametrize("curve", [replace(FALLING, points=()), replace(FALLING, points=((1.0, 1.0),))])
def test_fewer_than_two_points_are_no_curve(curve: Curve) -> None:
    assert not "".join(texts(curve)).strip()


@given(
    st.lists(st.floats(0, 1e4), min_size=2, max_size=60),
    st.none() | st.floats(0, 1e4),
    st.integers(0, 80),
    st.integers(0, 20),
    st.booleans(),
)
def test_it_fills_its_rectangle_whatever_it_is_of(
    heights: list[float], level: float | None, width: int, height: int, ascii_only: bool
) -> None:
    curve = replace(FALLING, points=tuple((float(x), y) for x, y in enumerate(heights)), level=level, top=None)
    lines = curve.draw(width, height, Look(ascii_only=ascii_only))
    assert [len(line.text()) for line in lines] == [width] * height
