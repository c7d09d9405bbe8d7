from __future__ import annotations

from msgspec.structs import replace

from tokwatch.dashboard.terminal import Colours
from tokwatch.dashboard.theme import DARK
from tokwatch.dashboard.themes.ansi import ANSI
from tokwatch.dashboard.themes.catalogue import BUILT_IN, OwnTheme, Themes
from tokwatch.dashboard.themes.mono import MONO

MINE = OwnTheme("mine", "yours", True, replace(DARK, work="#00ff00"))
NATIVE = OwnTheme("native", "yours", True, replace(ANSI, work="green"))
OWN = {theme.name: theme for theme in (MINE, NATIVE)}


def test_every_theme_has_a_palette() -> None:
    assert BUILT_IN[0].palette == DARK
    assert len({theme.palette for theme in BUILT_IN}) == len(BUILT_IN)


def test_the_next_theme_goes_round() -> None:
    themes = Themes(own=OWN)
    seen = ["dark"]
    while (following := themes.after(seen[-1])) != "dark":
        seen.append(following)
    assert seen == [*(theme.name for theme in BUILT_IN), "mine", "native"]


def test_sixteen_colours_show_only_what_is_made_of_them() -> None:
    themes = Themes(Colours.ANSI, OWN)
    assert themes.shown() == ("ansi", "mono", "native")
    assert themes.nearest("light") == "ansi"
    assert themes.palette("dark") == ANSI


def test_without_colours_every_theme_is_mono() -> None:
    themes = Themes(Colours.NONE, OWN)
    assert themes.shown() == ("mono",)
    assert themes.after("mono") == "mono"
    assert {themes.palette(name) for name in themes.every()} == {MONO}


def test_a_theme_of_the_user_can_stand_in_for_a_built_in_one() -> None:
    themes = Themes(own={"dark": MINE._replace(name="dark")})
    assert themes.palette("dark") == MINE.palette
    assert themes.shown().count("dark") == 1
