"""A palette for terminals of 256 colours: the nearest ones, with the grounds kept apart and the text readable.

Rich would take the nearest of each role by itself, and takes every dark ground for the same black.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Final, NamedTuple

from tokwatch.dashboard.themes.colours import contrast, lab
from tokwatch.dashboard.themes.palette import GROUNDS, READ, Palette

_LEVELS: Final = (0, 95, 135, 175, 215, 255)  # of red, green and blue in xterm's colours 16 to 231
_GREYS: Final = 24  # xterm's colours 232 to 255
_READABLE: Final = 4.5


class Colour(NamedTuple):
    """One of the 256."""

    told: str  # what Rich turns into it: its table of greys is not xterm's
    shown: str  # what the terminal then shows


def in_256_colours(palette: Palette) -> Palette:
    """The palette as Rich will have to be told it. One of the terminal's own colours stays as it is."""
    if palette.native:
        return palette
    grounds: dict[str, Colour] = {}
    for role in GROUNDS:
        taken = {ground.shown for ground in grounds.values()}
        grounds[role] = min((each for each in _colours() if each.shown not in taken), key=_distance(palette, role))
    page, tile = grounds["bg"].shown, grounds["surface"].shown
    told = {role: ground.told for role, ground in grounds.items()}
    for role in Palette.__struct_fields__:
        if role in grounds:
            continue
        wanted: str = getattr(palette, role)
        least = min(_READABLE, contrast(wanted, palette.bg), contrast(wanted, palette.surface))
        readable = _colours()
        if role in READ:
            readable = tuple(
                each for each in readable if contrast(each.shown, page) >= least <= contrast(each.shown, tile)
            )
        told[role] = min(readable, key=_distance(palette, role)).told
    return Palette(**told)


def _distance(palette: Palette, role: str) -> Callable[[Colour], float]:
    """From the colour that the palette has for the role."""
    wanted = lab(getattr(palette, role))
    return lambda colour: math.dist(wanted, lab(colour.shown))


@functools.cache
def _colours() -> tuple[Colour, ...]:
    """All but the first 16, which every user has others of."""
    cube = [
        f"#{red:02x}{green:02x}{blue:02x}"
        for red in _LEVELS
        for green in _LEVELS
        for blue in _LEVELS
        if not red == green == blue or red in (0, 255)  # Rich takes the other greys of the cube from the ramp
    ]
    greys = [(f"{round(step * 255 / 25):02x}", f"{10 * step - 2:02x}") for step in range(1, _GREYS + 1)]
    return (*(Colour(each, each) for each in cube), *(Colour(f"#{told * 3}", f"#{shown * 3}") for told, shown in greys))
