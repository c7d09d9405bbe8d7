"""Columns of a list: which of them a terminal has room for, and where they stand. Pure arithmetic on widths."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

MARGIN: Final = 1  # cells left and right


class Column(msgspec.Struct, frozen=True):
    """A column of a list: `gap` blank cells, then `width` cells."""

    key: str
    gap: int
    width: int
    least: int  # as narrow as it may get
    most: int  # as wide as it is worth
    goes_below: int  # terminal width under which it is left out; 0: never


class Place(msgspec.Struct, frozen=True):
    """Where a column stands."""

    x: int
    width: int

    @property
    def end(self) -> int:
        """The cell after it."""
        return self.x + self.width


class Columns(msgspec.Struct, frozen=True):
    """The columns of a list from left to right, and by key those that give or take room, the first one first."""

    every: tuple[Column, ...]
    gives_way: tuple[str, ...] = ()  # get narrower where room is short
    tight: tuple[str, ...] = ()  # one blank before them is enough where room is short
    grows: tuple[str, ...] = ()  # get wider where there is room
    stays: tuple[str, ...] = ()  # keep their distance to what stands before them when the rest is spread out

    def places(self, width: int) -> dict[str, Place]:
        """The columns that a terminal of `width` cells shows, by key, from left to right."""
        shown = {column.key: column for column in self.every if width >= column.goes_below}
        room = width - 2 * MARGIN - sum(column.gap + column.width for column in shown.values())
        for key in self.gives_way if room < 0 else ():
            if key in shown:
                cut = min(-room, shown[key].width - shown[key].least)
                shown[key] = replace(shown[key], width=shown[key].width - cut)
                room += cut
        for key in self.tight if room > 0 else ():
            if key in shown:
                more = min(room, 2 - shown[key].gap)
                shown[key] = replace(shown[key], gap=shown[key].gap + more)
                room -= more
        for key in self.grows if room > 0 else ():
            if key in shown:
                more = min(room, shown[key].most - shown[key].width)
                shown[key] = replace(shown[key], width=shown[key].width + more)
                room -= more
        spread = [key for key in shown if key not in self.stays]
        places: dict[str, Place] = {}
        x = MARGIN
        for key, column in shown.items():
            if key in spread and room > 0:
                position = spread.index(key)
                x += room * (position + 1) // len(spread) - room * position // len(spread)
            x += column.gap
            places[key] = Place(x, column.width)
            x += column.width
        return places
