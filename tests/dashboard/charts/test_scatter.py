"""The plane of throughput against interactivity."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.scatter import LEAST_HEIGHT, LEAST_WIDTH, Goal, Marked, Scatter
from tokwatch.dashboard.formats import count
from tokwatch.dashboard.theme import Look

LOOK, ASCII = Look(), Look(ascii_only=True)
PLAIN = Scatter(
    cloud=((20, 1_900), (50, 1_500), (100, 400)),
    frontier=((20, 1_900), (50, 1_500), (100, 400)),
    trail=((50, 1_500),),
    marks=(Marked(50, 1_500, "●", "now", "bright"),),
    goal=Goal(40, 1_300, "fast enough and cheap enough", "at least 40 tok/s per user", "at most $0.50 per M out"),
    x_unit="tok/s/user",
    y_unit="tok/s",
    write_x=count,
    write_y=count,
    right_unit="$/M",
    write_right=lambda y: f"{700 / y:.2f}",
)
NOTHING = replace(PLAIN, cloud=(), frontier=(), trail=(), marks=(), goal=Goal())


def text(scatter: Scatter, width: int = 80, height: int = 30, look: Look = LOOK) -> list[str]:
    return [line.text() for line in scatter.draw(width, height, look)]


def inked(role: str, line: Line) -> list[int]:
    """The columns of a line that are written in a role."""
    return [x for x, ink in enumerate(line._inks) if ink.colour == role and line._chars[x] != " "]


def grounded(line: Line) -> list[int]:
    return [x for x, ink in enumerate(line._inks) if ink.ground == "work_tint"]


def test_ticks_stand_at_the_left_and_what_they_cost_at_the_right() -> None:
    rows = text(PLAIN)
    (tick,) = [row for row in rows if row.startswith("1 500")]
    assert tick.rstrip().endswith("0.47")
    (zero,) = [row for row in rows if row.strip().startswith("0 ")]
    assert not zero.rstrip()[-1].isdigit()  # nothing is made there, so nothing has a price


def test_the_grid_is_a_dot_in_every_second_cell() -> None:
    (tick,) = [row for row in text(NOTHING_BUT_A_POINT) if row.startswith("1 000")]
    assert "· · · · ·" in tick


NOTHING_BUT_A_POINT = replace(NOTHING, cloud=((50, 1_500),))


def test_the_box_has_a_ground_of_its_own_up_and_right_of_its_edges() -> None:
    lines = PLAIN.draw(80, 30, LOOK)
    grounds = [grounded(line) for line in lines]
    high = [ground for ground in grounds if ground]
    assert all(ground == high[0] for ground in high)
    assert grounds[: len(high)] == high
    assert all(line.text()[high[0][0]] in "┆⠁⠂⠄⡀⢀⠈⠐⠠" for line in lines[:3])
    assert "╌" in lines[len(high) - 1].text()


def test_an_open_box_reaches_to_the_edge() -> None:
    fast = replace(PLAIN, goal=Goal(x_least=40, title="fast enough"))
    assert sum(bool(grounded(line)) for line in fast.draw(80, 30, LOOK)) == 29
    cheap = replace(PLAIN, goal=Goal(y_least=1_300, title="cheap enough"))
    assert min(grounded(cheap.draw(80, 30, LOOK)[0])) == 6
    assert not any(grounded(line) for line in replace(PLAIN, goal=Goal()).draw(80, 30, LOOK))


def test_what_the_edges_are_is_written_beside_them() -> None:
    rows = "\n".join(text(PLAIN))
    for words in ("fast enough and cheap enough", "at least 40 tok/s per user", "at most $0.50 per M out"):
        assert words in rows


def test_older_points_are_darker() -> None:
    old, new = (20.0, 1_000.0), (80.0, 1_000.0)
    lines = replace(NOTHING, cloud=(old, old, old, new, new, new, new, new, new)).draw(80, 30, LOOK)
    (row,) = [line for line in lines if inked("s2", line)]
    assert max(inked("s0", row)) < min(inked("s2", row))


def test_marks_win_over_trail_over_frontier_over_cloud() -> None:
    here = ((50.0, 1_000.0),)
    layers = replace(NOTHING, cloud=here, frontier=here, trail=here)
    assert any(inked("text", line) for line in layers.draw(80, 30, LOOK))
    assert not any(inked("work", line) for line in layers.draw(80, 30, LOOK))
    marked = replace(layers, marks=(Marked(50, 1_000, "●", "", "bright"),))
    assert not any(inked("text", line) for line in marked.draw(80, 30, LOOK))


def test_unknown_coordinates_are_not_drawn() -> None:
    ghosts = ((math.nan, 1_000.0), (50.0, math.inf))
    assert text(replace(PLAIN, cloud=(*PLAIN.cloud, *ghosts))) == text(PLAIN)


def test_without_a_point_there_is_nothing_to_see() -> None:
    assert not "".join(text(NOTHING)).strip()


def test_one_point_alone_is_inside() -> None:
    assert any("●" in row for row in text(replace(NOTHING, marks=PLAIN.marks)))


def test_too_little_room_gives_blank_lines() -> None:
    for width, height in ((LEAST_WIDTH - 1, 20), (60, LEAST_HEIGHT - 1), (0, 0), (1, 1)):
        rows = text(PLAIN, width, height)
        assert [len(row) for row in rows] == [width] * height
        assert not "".join(rows).strip()


def test_in_ascii_it_is_ascii() -> None:
    drawn = "\n".join(text(PLAIN, look=ASCII))
    assert drawn.isascii()
    assert "?" not in drawn
    for words in ("now", "1 500", "at least 40 tok/s per user", "|", "~~~"):
        assert words in drawn


def test_a_word_stands_apart_from_marks_that_are_not_its_own() -> None:
    marks = (Marked(40, 1_000, "◇", "bench", "ui"), Marked(41, 1_000, "", "13:34", "quiet"))
    (row,) = [row for row in text(replace(PLAIN, marks=marks)) if "◇" in row]
    assert "◇ 13:34" not in row
    assert any("13:34" in row for row in text(replace(PLAIN, marks=marks)))


COORDINATE = st.floats(0, 1e6)
POINTS = st.lists(st.tuples(COORDINATE, COORDINATE), max_size=12).map(tuple)
MARKS = st.lists(
    st.builds(
        Marked,
        COORDINATE,
        COORDINATE,
        st.sampled_from("●◆◇"),
        st.sampled_from(["now", "best 11:42", "bench 2 Nov", "h200 dsr1 fp8 sglang 1024/1024 ×64", "測試", ""]),
        st.just("alarm"),
    ),
    min_size=1,
    max_size=8,
).map(tuple)


@settings(max_examples=40)
@given(POINTS, POINTS, MARKS, st.integers(LEAST_WIDTH, 130), st.integers(LEAST_HEIGHT, 50), st.booleans())
def test_labels_cover_no_mark_and_stay_inside(
    cloud: tuple[tuple[float, float], ...],
    frontier: tuple[tuple[float, float], ...],
    marks: tuple[Marked, ...],
    width: int,
    height: int,
    in_ascii: bool,
) -> None:
    look = ASCII if in_ascii else LOOK
    named = replace(NOTHING, cloud=cloud, frontier=tuple(sorted(frontier)), marks=marks)
    bare = replace(named, marks=tuple(replace(mark, label="") for mark in marks))
    with_labels, without = named.draw(width, height, look), bare.draw(width, height, look)
    assert all(line.width == width for line in with_labels)
    for line, plain in zip(with_labels, without, strict=True):
        for x in inked("alarm", plain):
            assert line._chars[x] == plain._chars[x]
    assert with_labels[-1].text() == without[-1].text()  # the scale below the plane
    at_left = without[0].text().index("tok/s") + len("tok/s")
    for line in with_labels:
        assert not [x for x in inked("alarm", line) if x <= at_left]


@settings(max_examples=40)
@given(POINTS, st.none() | COORDINATE, st.none() | COORDINATE, st.integers(0, 130), st.integers(0, 50))
def test_any_points_and_any_box_fit_any_size(
    cloud: tuple[tuple[float, float], ...], x_least: float | None, y_least: float | None, width: int, height: int
) -> None:
    drawn = replace(PLAIN, cloud=cloud, goal=Goal(x_least, y_least, "good", "fast", "cheap")).draw(width, height, LOOK)
    assert [line.width for line in drawn] == [width] * height
