"""Cells: what a text becomes on a terminal, and what of a line is sent again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.dashboard.hostile import HOSTILE
from tokwatch.dashboard.cells import Line, fit, plain, shorten, to_cells, wrap
from tokwatch.dashboard.theme import DARK, LIGHT, Look

LOOK = Look(DARK)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=())) | st.sampled_from(HOSTILE)
FORBIDDEN = "".join(
    chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0xAD, 0x202E, 0x200B, 0x2028, 0xFEFF)
)


def line(text: str, width: int = 20, look: Look = LOOK) -> Line:
    made = Line(width, look)
    made.put(0, text)
    return made


@given(ANY_TEXT)
def test_no_character_that_a_terminal_acts_on_survives(text: str) -> None:
    assert not set(plain(text)) & set(FORBIDDEN)


@given(ANY_TEXT)
def test_there_is_one_item_per_cell(text: str) -> None:
    assert cell_len(plain(text)) == len(to_cells(text))


@given(ANY_TEXT)
def test_a_line_is_as_wide_as_it_was_made(text: str) -> None:
    assert line(text, 12).strip().cell_length == 12
    assert sum(cell_len(segment.text) for segment in line(text, 12).strip()) == 12


@given(st.lists(st.tuples(ANY_TEXT, st.integers(-5, 14)), max_size=4))
def test_a_line_stays_as_wide_whatever_is_drawn_over_it(texts: list[tuple[str, int]]) -> None:
    made = Line(12, LOOK)
    for text, x in texts:
        made.put(x, text, width=6)
    assert cell_len(made.text()) == 12


@given(ANY_TEXT, st.integers(0, 30))
def test_what_does_not_fit_ends_in_an_ellipsis(text: str, width: int) -> None:
    cells = to_cells(text)
    fitted = fit(cells, width)
    assert len(fitted) == min(width, len(cells))
    assert fitted == cells or not fitted or fitted[-1] == "…"


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert "".join(fit(to_cells("模型模型"), 4)) == "模 …"


def test_right_aligned_text_ends_at_the_right_edge_of_its_room() -> None:
    made = Line(10, LOOK)
    made.put(2, "1 551", width=7, right=True)
    assert made.text() == "    1 551 "


def test_text_outside_of_the_line_is_not_drawn() -> None:
    made = Line(4, LOOK)
    made.put(-2, "abc", width=3)
    made.put(3, "xyz", width=3)
    assert made.text() == "c  x"


def test_text_takes_the_ground_that_is_there() -> None:
    made = Line(4, LOOK)
    made.paint(0, 4, "selected")
    made.put(0, "a")
    (segment,) = made.strip()
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    assert segment.style.bgcolor.get_truecolor().hex == DARK.selected


def test_neighbours_of_one_style_are_one_segment_and_blanks_join_them() -> None:
    made = Line(20, LOOK)
    made.put(2, "a")
    made.put(6, "b")
    made.put(10, "c", "alarm")
    assert [segment.text for segment in made.strip()] == ["  a   b   ", "c         "]


def test_equal_lines_have_nothing_to_send() -> None:
    assert list(line("abc").changed(line("abc"))) == []


def test_only_the_stretch_that_differs_is_sent() -> None:
    assert list(line("tok 1551 W").changed(line("tok 1552 W"))) == [(7, 8)]


def test_a_change_of_colour_alone_is_sent() -> None:
    loud = Line(20, LOOK)
    loud.put(0, "abc", "alarm")
    assert list(loud.changed(line("abc"))) == [(0, 3)]


def test_another_palette_is_another_style() -> None:
    dark, light = line("a").strip(), line("a", look=Look(LIGHT)).strip()
    assert list(dark) != list(light)


def test_with_ascii_only_every_character_is_printable_ascii() -> None:
    text = line("● serving – ∞ 模 \x1b[2J", 30, Look(DARK, ascii_only=True)).text()
    assert text.isascii()
    assert text.startswith("* serving - inf ?")


@given(ANY_TEXT, st.integers(1, 30))
def test_wrapped_rows_fit_their_width(text: str, width: int) -> None:
    assert all(cell_len(row) <= width for row in wrap(text, width) if width > 1)


def test_a_paragraph_breaks_at_blanks() -> None:
    assert wrap("press $ to set a price", 14) == ["press $ to set", "a price"]
    assert wrap("unbreakable", 4) == ["unbr", "eaka", "ble"]


def test_a_number_is_not_broken_between_its_groups() -> None:
    assert wrap("from 88 630 141 to 88 723 201 tokens", 20) == ["from 88 630 141 to", "88 723 201 tokens"]


def test_a_text_is_shortened_between_words_so_that_no_number_is_cut() -> None:
    assert shorten("KV cache 97 %, TTFT p99 4.1 s", 40) == "KV cache 97 %, TTFT p99 4.1 s"
    assert shorten("KV cache 97 %, TTFT p99 4.1 s", 25) == "KV cache 97 %, TTFT p99…"
    assert shorten("KV cache 97 %, TTFT p99 4.1 s", 16) == "KV cache 97 %…"


@given(ANY_TEXT, st.integers(-3, 40))
def test_a_shortened_text_fits(text: str, width: int) -> None:
    assert len(to_cells(shorten(text, width))) <= max(0, width)
