from __future__ import annotations

from itertools import combinations

import pytest
from rich._palettes import EIGHT_BIT_PALETTE
from rich.color import Color, ColorSystem

from tests.dashboard.themes.eyes import EYES, distance
from tokwatch.dashboard.themes.catalogue import BUILT_IN, BuiltIn
from tokwatch.dashboard.themes.colours import contrast, lab
from tokwatch.dashboard.themes.colours_256 import in_256_colours
from tokwatch.dashboard.themes.palette import GROUNDS, NAMES, READ, ROLES, Palette

OF_COLOURS = [theme for theme in BUILT_IN if not theme.palette.native]
NATIVE = [theme for theme in BUILT_IN if theme.palette.native]
FOR_THE_COLOUR_BLIND = [theme for theme in BUILT_IN if "blind" in theme.name]
MEANINGS = ("work", "waste", "alarm", "ui", "text")


def shown_in_256(colour: str) -> str:
    """What a terminal of 256 colours shows once Rich has turned the colour into one of them."""
    number = Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).number
    assert number is not None
    return EIGHT_BIT_PALETTE[number].hex


def as_shown(palette: Palette, colours: int) -> dict[str, str]:
    if colours == 256:
        fitted = in_256_colours(palette)
        return {role: shown_in_256(getattr(fitted, role)) for role in ROLES}
    return {role: getattr(palette, role) for role in ROLES}


def test_black_on_white_has_the_greatest_contrast_there_is() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's own example of just too little


def test_the_space_of_colours_is_that_of_the_standard() -> None:
    assert lab("#ffffff") == pytest.approx((100, 0, 0), abs=0.05)
    assert lab("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)


@pytest.mark.parametrize("colours", [1 << 24, 256])
@pytest.mark.parametrize("theme", OF_COLOURS, ids=lambda theme: theme.name)
def test_what_carries_a_fact_can_be_read(theme: BuiltIn, colours: int) -> None:
    shown = as_shown(theme.palette, colours)
    for role in READ:
        for ground in ("bg", "surface"):
            assert contrast(shown[role], shown[ground]) >= 4.5, (role, ground)
    assert contrast(shown["waste_fill"], shown["waste_tint"]) >= 3, "a figure of three rows"


@pytest.mark.parametrize("theme", OF_COLOURS, ids=lambda theme: theme.name)
def test_the_tile_that_may_shout_and_the_tab_can_be_read(theme: BuiltIn) -> None:
    palette = theme.palette
    for role, ground in (("waste", "waste_tint"), ("bright", "ui_tint"), ("text", "selected"), ("quiet", "selected")):
        assert contrast(getattr(palette, role), getattr(palette, ground)) >= 4.5, (role, ground)


def test_high_contrast_keeps_the_enhanced_level() -> None:
    palette = next(theme for theme in BUILT_IN if theme.name == "contrast").palette
    assert min(contrast(getattr(palette, role), palette.bg) for role in READ) >= 7


@pytest.mark.parametrize("theme", OF_COLOURS, ids=lambda theme: theme.name)
def test_in_256_colours_no_two_grounds_become_one(theme: BuiltIn) -> None:
    shown = as_shown(theme.palette, 256)
    assert len({shown[ground] for ground in GROUNDS}) == len(GROUNDS)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", FOR_THE_COLOUR_BLIND, ids=lambda theme: theme.name)
def test_every_eye_tells_the_meanings_apart(theme: BuiltIn, eye: str) -> None:
    for one, other in combinations(MEANINGS, 2):
        apart = distance(getattr(theme.palette, one), getattr(theme.palette, other), eye)
        assert apart >= 20, (one, other, round(apart))


def test_the_usual_palette_would_not_pass_that() -> None:
    dark = BUILT_IN[0].palette
    assert distance(dark.work, dark.ui, "tritanopia") < 15


@pytest.mark.parametrize("theme", NATIVE, ids=lambda theme: theme.name)
def test_a_native_palette_names_colours_of_the_terminal_only(theme: BuiltIn) -> None:
    for role in ROLES:
        words = str(getattr(theme.palette, role)).split()
        assert all(word in (*NAMES, "bold", "underline", "reverse") for word in words), role


def test_text_in_the_terminals_colours_is_never_a_grey_that_may_be_its_ground() -> None:
    ansi = next(theme for theme in BUILT_IN if theme.name == "ansi").palette
    assert not {getattr(ansi, role) for role in READ} & {"bright_black", "black", "white", "blue"}


def test_without_colours_only_bold_underline_and_reverse_are_used() -> None:
    mono = next(theme for theme in BUILT_IN if theme.name == "mono").palette
    used = {word for role in ROLES for word in str(getattr(mono, role)).split()}
    assert used <= {"default", "bold", "underline", "reverse"}
