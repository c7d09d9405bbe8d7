"""Option grid: short options in columns of one width, with a cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.geometry import Size

from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas

_CURSOR = 2  # columns before an option
_GAP = 2  # columns between options


class Piece(NamedTuple):
    """A part of an option."""

    text: str
    role: str = "text"
    bold: bool = False
    width: int = 0  # columns at least


Cell = tuple[Piece, ...]  # one blank between its pieces


class OptionGrid(Canvas):
    """Filled from top to bottom, then to the right, so that what follows one another stands so."""

    def __init__(self, look: Look, cells: Sequence[Cell], cursor: int = 0) -> None:
        super().__init__(look)
        self.cells = tuple(cells)
        self.cursor = cursor
        self._rows = 1

    def fit(self, screen: Size, rows_elsewhere: int) -> None:
        """Takes as many rows as it needs on a screen of that size, as far as there are."""
        self._rows = rows_of([width_of(cell) for cell in self.cells], screen.width - 2 * MARGIN)
        self.styles.height = max(1, min(self._rows, screen.height - rows_elsewhere))

    def move(self, rows: int, columns: int = 0) -> None:
        """Moves the cursor to the option so many rows below and columns to the right."""
        self.cursor = max(0, min(len(self.cells) - 1, self.cursor + rows + columns * self._rows))
        self.redraw()

    def rows(self) -> int:
        return self.size.height

    def draw(self, rows: range) -> list[Line]:
        widest = max((width_of(cell) for cell in self.cells), default=0)
        top = max(0, min(self.cursor % self._rows - self.size.height // 2, self._rows - self.size.height))
        lines = []
        for row in range(top, top + len(rows)):
            line = Line(self.size.width, self.look, ground="surface")
            for column, number in enumerate(range(row, len(self.cells), self._rows)):
                self._put(line, MARGIN + column * (widest + _GAP), number, widest)
            lines.append(line)
        return lines

    def _put(self, line: Line, x: int, number: int, width: int) -> None:
        if number == self.cursor:
            line.paint(x, width, "selected")
            line.put(x, "▌", "ui")
        x += _CURSOR
        for piece in self.cells[number]:
            line.put(x, piece.text, piece.role, bold=piece.bold)
            x += max(piece.width, len(to_cells(piece.text))) + 1


def width_of(cell: Cell) -> int:
    """Columns that an option takes, with its place for the cursor and a blank at its end."""
    return _CURSOR + sum(max(piece.width, len(to_cells(piece.text))) + 1 for piece in cell)


def rows_of(widths: Sequence[int], room: int) -> int:
    """The fewest rows for options of these widths in columns as wide as the widest."""
    across = max(1, (room + _GAP) // (max(widths, default=0) + _GAP))
    return max(1, -(-len(widths) // across))
