"""Dots: a plane of braille dots, each cell in one role, that is put on Lines without touching what it leaves blank."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from tokwatch.dashboard.cells import Line

ACROSS, DOWN = 2, 4  # dots of a cell
_BLANK: Final = 0x2800
_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row from the top, then column


class Dots:
    """`width` × `height` cells. A cell has one colour: that of the last dot set in it."""

    def __init__(self, width: int, height: int) -> None:
        self.columns, self.rows = width * ACROSS, height * DOWN  # in dots
        self._width = width
        self._bits = [[0] * width for _ in range(height)]
        self._roles = [[""] * width for _ in range(height)]

    def set(self, column: int, row: int, role: str) -> None:
        """One dot, counted from the upper left; outside of the plane nothing is drawn."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            x, y = column // ACROSS, row // DOWN
            self._bits[y][x] |= _BITS[row % DOWN][column % ACROSS]
            self._roles[y][x] = role

    def line(self, start: tuple[int, int], end: tuple[int, int], role: str) -> None:
        """The dots on a straight line between two (column, row), both included."""
        (column, row), (to_column, to_row) = start, end
        steps = max(abs(to_column - column), abs(to_row - row), 1)
        for step in range(steps + 1):
            part = step / steps
            self.set(round(column + part * (to_column - column)), round(row + part * (to_row - row)), role)

    def put(self, lines: Sequence[Line], x: int, y: int) -> None:
        """Draws the plane with its upper left cell at column `x` of lines[y]; neighbours of one role in one piece."""
        for line, bits, roles in zip(lines[y:], self._bits, self._roles, strict=False):
            at = x
            for role, run in groupby(zip(bits, roles, strict=True), key=itemgetter(1)):
                cells = "".join(chr(_BLANK + dots) for dots, _ in run)
                if role:
                    line.put(at, cells, role)
                at += len(cells)
