"""The time series: columns from zero, holes where nothing was measured, real ticks, a limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.time_axis import put_times
from tokwatch.dashboard.charts.time_series import TimeSeries, plot_place
from tokwatch.dashboard.theme import ROLES, Ink, Look, style_of
from tokwatch.ledger.figure_path import FigurePath

MINUTE_MS = 60_000
FULL = "\u28ff"


def series(*values: float | None, role: str = "s2") -> TimeSeries:
    return TimeSeries(
        "POWER", "W board", "128", 0, MINUTE_MS, values, (role,) * len(values), formats.count, now_unit="W"
    )


def texts(chart: TimeSeries, width: int = 27, height: int = 8, *, ascii_only: bool = False) -> list[str]:
    return [line.text() for line in chart.draw(width, height, Look(ascii_only=ascii_only))]


def test_the_heading_names_the_value_its_unit_and_what_it_is_now() -> None:
    assert texts(series(1.0))[0] == "POWER W board         128 W"


def test_the_value_of_now_can_be_pointed_at() -> None:
    path = FigurePath("gpu", "power_w", 16)
    (spot,) = replace(series(1.0), now_of=path).draw(40, 8, Look())[0].spots
    assert (spot.path, spot.width) == (path, 3)


def test_in_an_odd_number_of_rows_the_middle_tick_stands_in_the_middle() -> None:
    labels = [line[:6].strip() for line in texts(series(800.0))[1:]]
    assert labels == ["800", "", "", "400", "", "", "0"]


def test_a_measured_zero_is_a_dot_and_what_was_not_measured_is_blank() -> None:
    rows = texts(series(0.0, None, 800.0), width=7 + 12)
    assert rows[-1][7:] == "⣀⣀⣀⣀" + "· · " + FULL * 4  # the grid shows through
    assert rows[2][7:] == " " * 8 + FULL * 4


def test_the_limit_is_drawn_dashed_with_its_label_instead_of_a_tick() -> None:
    chart = replace(series(100.0), limit=700.0, limit_label="limit 700 W")
    rows = texts(chart, width=40)
    assert rows[1] == "       ╌╌ limit 700 W " + "╌" * 18
    assert "800" not in "".join(rows)


def test_columns_cover_the_limit_where_they_reach_it() -> None:
    chart = replace(series(None, 800.0), limit=700.0, limit_label="limit 700 W")
    assert texts(chart, width=47)[1].endswith("╌" * 2 + FULL * 20)


def test_a_cell_takes_the_colour_of_its_taller_half() -> None:
    look = Look()
    chart = replace(series(*[800.0, 10.0] * 10), roles=("s2", "waste_fill") * 10)
    (columns,) = [segment for segment in chart.draw(7 + 10, 8, look)[-1].strip() if segment.text[-1:] >= "\u2840"]
    assert columns.style == style_of(look.palette, Ink("s2"))


def test_times_stand_below_the_cells_they_are_of_and_the_end_at_the_right() -> None:
    chart = replace(series(*[1.0] * 60), times=True)
    assert texts(chart, width=67)[-1] == " " * 7 + "01 Jan         00:15          00:30          00:45       now"


def test_a_day_that_begins_is_written_as_its_date() -> None:
    line = Line(70, Look())
    put_times(line, 0, 70, 22 * 60 * MINUTE_MS, 26 * 60 * MINUTE_MS, 0, "now")
    assert "23:00" in line.text()
    assert "02 Jan" in line.text()
    assert "00:00" not in line.text()


def test_a_plot_without_any_value_says_why() -> None:
    rows = texts(replace(series(None, None), nothing="– nothing served"), width=40)
    assert "– nothing served" in "".join(rows)
    assert "0.5" not in "".join(rows)


def test_ascii_draws_the_same_with_other_characters() -> None:
    chart = replace(series(0.0, 400.0, 800.0), limit=700.0, limit_label="limit 700 W", times=True)
    drawn = "".join(texts(chart, width=50, ascii_only=True))
    assert drawn.isascii()
    assert "?" not in drawn
    assert "#" in drawn


@given(
    st.lists(st.none() | st.floats(0, 1e7), max_size=80),
    st.integers(0, 90),
    st.integers(0, 14),
    st.none() | st.floats(1, 1e6),
    st.booleans(),
)
def test_it_fills_its_rectangle_whatever_it_is_given(
    values: list[float | None], width: int, height: int, limit: float | None, times: bool
) -> None:
    chart = replace(series(*values), limit=limit, limit_label="limit", times=times)
    lines = chart.draw(width, height, Look())
    assert [line.width for line in lines] == [width] * height


@given(st.lists(st.floats(0, 1000), min_size=20, max_size=20))
def test_a_higher_value_is_never_drawn_lower(values: list[float]) -> None:
    chart = series(*values)
    x, cells = plot_place(17, 6)
    assert cells == 10
    rows = [line.text()[x:] for line in chart.draw(17, 9, Look())[1:]]

    def dots(bucket: int) -> int:
        mask = 0x47 if bucket % 2 == 0 else 0xB8
        column = (row[bucket // 2] for row in rows)
        return sum(((ord(cell) - 0x2800) & mask).bit_count() for cell in column if ord(cell) >= 0x2800)

    drawn = [dots(bucket) for bucket in range(20)]
    assert all(
        high >= low
        for v, high in zip(values, drawn, strict=True)
        for w, low in zip(values, drawn, strict=True)
        if v >= w
    )


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_role_of_the_palette_may_colour_a_bucket(role: str) -> None:
    assert FULL in texts(series(800.0, role=role))[1]


def test_dots_do_not_cover_the_label_of_the_limit() -> None:
    chart = replace(series(*[700.0] * 40), limit=700.0, limit_label="limit 700 W")
    assert any(" limit 700 W " in text for text in texts(chart))


def test_a_limit_at_a_tick_keeps_the_number_of_the_tick_and_without_a_label_has_no_hole() -> None:
    chart = replace(series(20.0), limit=100.0)
    (top,) = [text for text in texts(chart) if "100" in text]
    assert top == "   100 " + "╌" * 20
