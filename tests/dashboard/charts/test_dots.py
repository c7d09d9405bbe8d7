"""Planes of braille dots."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.dots import Dots
from tokwatch.dashboard.theme import Look

LOOK = Look()


def drawn(dots: Dots, width: int, height: int) -> list[str]:
    lines = [Line(width, LOOK) for _ in range(height)]
    dots.put(lines, 0, 0)
    return [line.text() for line in lines]


def test_every_dot_of_a_cell_has_its_place() -> None:
    for row in range(4):
        for column in range(2):
            dots = Dots(1, 1)
            dots.set(column, row, "work")
            bit = (0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80)[column * 4 + row]
            assert drawn(dots, 1, 1) == [chr(0x2800 + bit)]


def test_dots_of_a_cell_add_up_and_the_last_one_gives_the_colour() -> None:
    dots = Dots(1, 1)
    dots.set(0, 0, "s1")
    dots.set(1, 3, "work")
    line, alike = Line(1, LOOK), Line(1, LOOK)
    dots.put([line], 0, 0)
    alike.put(0, "⢁", "work")
    assert not list(line.changed(alike))


def test_what_is_blank_leaves_what_stands_there() -> None:
    dots = Dots(3, 1)
    dots.set(2, 0, "work")
    line = Line(3, LOOK)
    line.put(0, "abc")
    dots.put([line], 0, 0)
    assert line.text() == "a⠁c"


def test_a_plane_stands_where_it_is_put() -> None:
    dots = Dots(1, 1)
    dots.set(0, 0, "work")
    lines = [Line(3, LOOK) for _ in range(2)]
    dots.put(lines, 2, 1)
    assert [line.text() for line in lines] == ["   ", "  ⠁"]


def test_a_straight_line_has_no_gap() -> None:
    dots = Dots(2, 1)
    dots.line((0, 0), (3, 3), "work")
    assert drawn(dots, 2, 1) == ["⠑⢄"]


@given(st.lists(st.tuples(st.integers(-20, 60), st.integers(-20, 60))))
def test_dots_outside_are_not_drawn(places: list[tuple[int, int]]) -> None:
    dots = Dots(10, 5)
    for column, row in places:
        dots.set(column, row, "work")
    inside = {place for place in places if 0 <= place[0] < 20 and 0 <= place[1] < 20}
    text = "".join(drawn(dots, 10, 5))
    assert sum((ord(cell) - 0x2800).bit_count() for cell in text if cell != " ") == len(inside)
