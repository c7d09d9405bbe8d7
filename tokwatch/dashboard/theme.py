"""Theme: from the roles of a palette to styles of cells, and to the Textual theme that goes with it."""

from __future__ import annotations

import functools
from typing import NamedTuple

import msgspec
from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from tokwatch.dashboard.themes.dark import DARK
from tokwatch.dashboard.themes.light import LIGHT
from tokwatch.dashboard.themes.palette import ATTRIBUTES, GROUNDS, ROLES, Palette

__all__ = ["DARK", "LIGHT", "ROLES", "Ink", "Look", "Palette", "PaletteTheme", "is_drawn", "palette_of", "style_of"]


class Ink(NamedTuple):
    """How a cell is drawn, in roles of the Palette, so that a theme can change under a drawn line."""

    colour: str = "text"
    ground: str = "bg"
    bold: bool = False


class Look(msgspec.Struct, frozen=True):
    """What drawing depends on beside the figures."""

    palette: Palette = DARK
    ascii_only: bool = False  # the terminal is limited to ASCII
    calm: bool = False  # every byte counts: no sparklines

    @property
    def colourless(self) -> bool:
        """Areas of different meaning look alike, unless they are filled with different characters."""
        return self.ascii_only or self.palette.s0 == self.palette.s3


@functools.cache  # at most palettes × inks: a few hundred
def style_of(palette: Palette, ink: Ink) -> Style:
    """The terminal style of an ink."""
    ground: str = getattr(palette, ink.ground)
    if ground == "reverse":
        return Style(reverse=True, bold=ink.bold)
    *attributes, colour = getattr(palette, ink.colour).split() or ("default",)
    return Style(
        color=colour,
        bgcolor=ground.split()[-1],  # a bold colour has no bold ground
        bold=ink.bold or "bold" in attributes,
        underline="underline" in attributes or None,
        reverse="reverse" in attributes or None,
    )


@functools.cache
def is_drawn(palette: Palette, ink: Ink) -> bool:
    """False where the terminal's own colours leave no way to tell a mark from what it stands on or beside."""
    if getattr(palette, ink.ground) == "reverse" and ink.colour == "track":  # every mark there has the same colour
        return False
    colour: str = getattr(palette, ink.colour)
    return bool(colour) and not (ink.colour in GROUNDS and palette.native)


class PaletteTheme(Theme):
    """The Textual theme of a palette, for the parts that Textual draws: prompts, notes, the command palette."""

    def __init__(self, name: str, palette: Palette, *, dark: bool) -> None:
        ui, work, surface, page = _css(palette.ui), _css(palette.work), _css(palette.surface), _css(palette.bg)
        variables = {
            "scrollbar": _css(palette.s0),
            "scrollbar-hover": _css(palette.s1),
            "scrollbar-active": ui,
            "scrollbar-background": page,
        }
        if palette.native:
            variables = {
                **BUILTIN_THEMES["ansi-dark"].variables,  # Textual's rules for such themes ask for more of them
                **variables,
                "block-cursor-foreground": "ansi_default",
                "block-cursor-background": "ansi_default",
                "block-cursor-text-style": "reverse",
                "input-cursor-text-style": "reverse",
                "input-selection-background": "ansi_default",
                "input-selection-foreground": "ansi_default",
            }
        super().__init__(
            name=name,
            primary=ui,
            secondary=work,
            accent=ui,
            warning=_css(palette.waste),
            error=_css(palette.alarm),
            success=work,
            foreground=_css(palette.text),
            background=page,
            surface=surface,
            panel=surface if palette.native else _css(palette.selected),
            boost=surface if palette.native else None,
            dark=dark,
            variables=variables,
            ansi=palette.native,
        )
        self.palette = palette


def _css(value: str) -> str:
    colour = next((word for word in value.split() if word not in ATTRIBUTES), "default")
    return colour if colour.startswith("#") else f"ansi_{colour}"


def palette_of(theme: Theme) -> Palette:
    """The palette of a theme; dark or light for one of Textual's own."""
    if isinstance(theme, PaletteTheme):
        return theme.palette
    return DARK if theme.dark else LIGHT
