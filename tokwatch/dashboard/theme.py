"""Colours: five meanings and greys, for a dark and a light page, and the Textual themes made of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import NamedTuple

from rich.style import Style
from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Palette:
    """One colour per role, as #rrggbb. What a role means is the same in every palette."""

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


DARK = Palette(
    work="#45c8b0",
    work_past="#2c7d72",
    waste="#f5a83d",
    waste_fill="#f5a83d",
    alarm="#ff4d6d",
    ui="#74b3ff",
    bright="#ffffff",
    text="#d5dce4",
    quiet="#8f9aa7",
    faint="#687482",
    s0="#3b4856",
    s1="#5b6b7e",
    s2="#8fa3ba",
    s3="#b9c8d8",
    track="#2a333d",
    rule="#27303a",
    bg="#0e1217",
    surface="#151b22",
    selected="#1a222b",
    waste_tint="#2b2011",
    work_tint="#10231f",
    ui_tint="#18283c",
)
LIGHT = Palette(
    work="#067a6a",
    work_past="#62aea2",
    waste="#9a4a00",
    waste_fill="#c76a00",
    alarm="#a80030",
    ui="#1a5cb8",
    bright="#000000",
    text="#24292f",
    quiet="#5c646d",
    faint="#858b92",
    s0="#c2c9d1",
    s1="#8d99a6",
    s2="#6c7a89",
    s3="#4b5866",
    track="#dfdbd1",
    rule="#d9d5cb",
    bg="#fbfaf7",
    surface="#f1efe9",
    selected="#e9e6de",
    waste_tint="#fcebcd",
    work_tint="#e0f1ed",
    ui_tint="#dfeafa",
)
ROLES = frozenset(field.name for field in fields(Palette))


class Ink(NamedTuple):
    """How a cell is drawn, in roles of the Palette, so that a theme can change under a drawn line."""

    colour: str = "text"
    ground: str = "bg"
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What drawing depends on beside the figures: the palette, and whether the terminal is limited to ASCII."""

    palette: Palette = DARK
    ascii_only: bool = False


@functools.cache  # at most palettes × inks: a few hundred
def style_of(palette: Palette, ink: Ink) -> Style:
    """The terminal style of an ink."""
    return Style(color=getattr(palette, ink.colour), bgcolor=getattr(palette, ink.ground), bold=ink.bold)


def _theme(name: str, palette: Palette, *, dark: bool) -> Theme:
    return Theme(
        name=name,
        primary=palette.ui,
        secondary=palette.work,
        accent=palette.ui,
        warning=palette.waste,
        error=palette.alarm,
        success=palette.work,
        foreground=palette.text,
        background=palette.bg,
        surface=palette.surface,
        panel=palette.selected,
        dark=dark,
        variables={"scrollbar": palette.s0, "scrollbar-hover": palette.s1, "scrollbar-background": palette.bg},
    )


DARK_THEME = _theme("tokwatch-dark", DARK, dark=True)
LIGHT_THEME = _theme("tokwatch-light", LIGHT, dark=False)


def palette_of(theme: Theme) -> Palette:
    """The palette that goes with a theme; the command palette also offers Textual's own themes."""
    return DARK if theme.dark else LIGHT
