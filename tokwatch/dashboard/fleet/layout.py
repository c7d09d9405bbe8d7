"""Layout of the fleet's screens: how many rows tiles and lists get. Pure arithmetic on sizes."""

from __future__ import annotations

from typing import Final

import msgspec

_HEADER: Final = 1
_CHROME: Final = 4  # heading, rule, rule, closing row


class ListPlan(msgspec.Struct, frozen=True):
    """Heights in rows. The gap is the blank row above the heading."""

    tiles: int
    gap: int
    rows: int


def list_plan(height: int, lines: int, bottom: int, *, with_tiles: bool) -> ListPlan:
    """The list gets what is left, at least a row; the tiles are lower on a low terminal, and go on the lowest."""
    tiles = (7 if height >= 30 else 5 if height >= 16 else 0) if with_tiles else 0
    room = height - _HEADER - bottom - tiles - _CHROME
    gap = 1 if height >= 30 or (not with_tiles and room > 8) else 0
    return ListPlan(tiles, gap, max(1, min(max(lines, 1), room - gap)))
