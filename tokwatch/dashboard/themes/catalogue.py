"""Catalogue: the themes there are, those of the user among them, and which of them a terminal can show."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final, NamedTuple

import msgspec

from tokwatch.dashboard.terminal import Colours
from tokwatch.dashboard.themes.palette import Palette


class BuiltIn(NamedTuple):
    """A theme that comes with the program; its palette is loaded when it is first shown."""

    name: str
    about: str
    dark: bool

    @property
    def palette(self) -> Palette:
        word = self.name.replace("-", "_")
        found: Palette = getattr(import_module(f"tokwatch.dashboard.themes.{word}"), word.upper())
        return found


BUILT_IN: Final = (
    BuiltIn("dark", "for a dark room", dark=True),
    BuiltIn("light", "for a light ground", dark=False),
    BuiltIn("colour-blind-dark", "told apart by every kind of eye", dark=True),
    BuiltIn("colour-blind-light", "the same on a light ground", dark=False),
    BuiltIn("contrast", "black and white, hues at 7 : 1", dark=True),
    BuiltIn("ansi", "the terminal's own 16 colours", dark=True),
    BuiltIn("mono", "no colours: bold, underlined, reversed", dark=True),
)
DEFAULT: Final = BUILT_IN[0].name


class OwnTheme(NamedTuple):
    """A theme of the user's."""

    name: str
    about: str
    dark: bool
    palette: Palette


class Themes(msgspec.Struct, frozen=True):
    """What a terminal of so many colours can show. A theme of the user's may stand in for a built-in one."""

    colours: Colours = Colours.TRUE
    own: Mapping[str, OwnTheme] | None = None

    def every(self) -> dict[str, BuiltIn | OwnTheme]:
        """All there are, by name."""
        return {**{theme.name: theme for theme in BUILT_IN}, **(self.own or {})}

    def shown(self) -> tuple[str, ...]:
        """Names of those that look different from one another here."""
        if self.colours >= Colours.INDEXED:
            return tuple(self.every())
        if self.colours == Colours.NONE:
            return ("mono",)
        own = (theme.name for theme in (self.own or {}).values() if theme.palette.native)
        return tuple(dict.fromkeys(("ansi", "mono", *own)))

    def nearest(self, name: str) -> str:
        """The theme itself where it can be shown, else the one that is shown in its place."""
        shown = self.shown()
        return name if name in shown else shown[0]

    def after(self, name: str) -> str:
        """The next one."""
        shown = self.shown()
        return shown[(shown.index(self.nearest(name)) + 1) % len(shown)]

    def palette(self, name: str) -> Palette:
        """Of a theme, as this terminal can show it. Raises KeyError for one that there is not."""
        palette = self.every()[name].palette
        if self.colours == Colours.TRUE or palette.native:
            return palette if self.colours else _mono()
        if self.colours == Colours.INDEXED:
            from tokwatch.dashboard.themes.colours_256 import in_256_colours

            return in_256_colours(palette)
        return self.every()[self.shown()[0]].palette


def _mono() -> Palette:
    return BUILT_IN[-1].palette
