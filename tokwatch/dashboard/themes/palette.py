"""Palette: one colour per role. What a role means is the same in every palette."""

from __future__ import annotations

from typing import Final

import msgspec


class Palette(msgspec.Struct, frozen=True, cache_hash=True):
    """Colours as #rrggbb, or as the terminal's own: a name of NAMES, with "bold", "underline" or "reverse" before it.

    "" as a colour: what has it is not drawn. A ground is a colour or "reverse", which drops the colours on it.
    """

    work: str  # useful work: tokens, serving, live
    work_past: str  # the same in history; only the newest sample is bright
    waste: str  # text: money paid for nothing
    waste_fill: str  # the same as bar, strip or large figure
    alarm: str  # something is wrong now
    ui: str  # the program itself: keys, cursor, replay
    bright: str  # the figure the screen is about
    text: str  # measured values
    quiet: str  # labels, units, headings, ticks
    faint: str  # absent, limits
    s0: str  # s0 to s3: neutral amounts, power and memory
    s1: str
    s2: str
    s3: str
    track: str  # the empty part of a bar
    rule: str  # the line under a heading
    bg: str  # page
    surface: str  # tile, header, footer
    selected: str  # row under the cursor
    waste_tint: str  # ground of the idle tile
    work_tint: str
    ui_tint: str  # ground of the current tab

    @property
    def native(self) -> bool:
        """Its colours are the terminal's own, which are not known."""
        return not self.bg.startswith("#")


ROLES: Final = frozenset(Palette.__struct_fields__)
GROUNDS: Final = ("bg", "surface", "selected", "waste_tint", "work_tint", "ui_tint")
READ: Final = ("text", "quiet", "work", "waste", "alarm", "ui", "bright")  # roles that carry a fact as text
_ANSI: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
NAMES: Final = ("default", *_ANSI, *(f"bright_{name}" for name in _ANSI))
ATTRIBUTES: Final = ("bold", "underline", "reverse")
