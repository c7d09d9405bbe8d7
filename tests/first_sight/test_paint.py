"""What first sight puts on a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.first_sight.frames import NOW_S, PAGE, shown, small_frame
from tokwatch.dashboard import formats
from tokwatch.dashboard.themes.dark import DARK
from tokwatch.dashboard.themes.light import LIGHT
from tokwatch.dashboard.themes.palette import Palette
from tokwatch.first_sight import paint as painting
from tokwatch.first_sight.paint import age_text, header, paint

ALL_COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def test_a_kept_frame_stands_where_it_stood_with_its_age() -> None:
    assert shown(paint(small_frame(), 60, 3, NOW_S)) == [
        " tokwatch  dgx-03             ◌ 3m old, warming up  14:03:22",
        "",
        " GPU 0  612 W",
    ]


def test_a_smaller_terminal_shows_the_top_left_of_it() -> None:
    assert shown(paint(small_frame(), 12, 2, NOW_S), 12, 2) == [" tokwatch  d", ""]


def test_a_larger_terminal_shows_all_of_it_on_the_same_ground() -> None:
    painted = paint(small_frame(), 100, 10, NOW_S)
    assert painted.startswith(f"\x1b[0;{PAGE}m\x1b[2J")
    assert shown(painted, 100, 10)[2] == " GPU 0  612 W"


@given(st.floats(min_value=-10, max_value=4e9))
def test_the_age_reads_as_on_the_live_screen(age_s: float) -> None:
    assert age_text(age_s) == formats.duration(age_s)


def test_without_a_frame_the_header_says_that_it_warms_up() -> None:
    painted = header(60, ALL_COLOURS, light=False, ascii_only=False)
    assert shown(painted)[0] == " tokwatch                           – warming up"


def test_without_glyphs_the_header_is_ascii() -> None:
    assert header(60, {"TERM": "xterm"}, light=False, ascii_only=True).isascii()


def test_a_terminal_that_is_to_have_no_colours_gets_none() -> None:
    assert "38;2" not in header(60, {**ALL_COLOURS, "NO_COLOR": "1"}, light=False, ascii_only=False)


def test_the_header_has_the_colours_of_the_themes() -> None:
    for palette, codes in ((DARK, painting.DARK), (LIGHT, painting.LIGHT)):
        assert codes == _codes(palette)


def _codes(palette: Palette) -> tuple[str, ...]:
    def ground(colour: str) -> str:
        return "48;2;" + ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))

    def ink(colour: str) -> str:
        return "3" + ground(colour)[1:]

    surface = ground(palette.surface)
    name, words = f"1;{ink(palette.bright)};{surface}", f"{ink(palette.quiet)};{surface}"
    return ground(palette.bg), surface, name, words
