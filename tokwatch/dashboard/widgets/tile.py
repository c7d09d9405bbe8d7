"""One tile: a title and figures on a ground colour, with half a row of padding above and below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells, wrap
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.widgets.big_figure import big_figure
from tokwatch.dashboard.widgets.canvas import Canvas, Shown
from tokwatch.dashboard.widgets.sparkline import braille
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.marks import signs
from tokwatch.ledger.snapshot import Figure, Snapshot

_BIG_FROM = 90  # columns of the terminal


class Piece(NamedTuple):
    """A text in one colour."""

    text: str
    role: str = "quiet"
    bold: bool = False
    of: FigurePath | None = None  # the figure that it is


ABSENT = Piece(glyphs.ABSENT, "faint")


def value(figure: Figure, text: str, role: str = "text", of: FigurePath | None = None) -> Piece:
    """A figure already written, drawn loud when it is known and faint when it is not."""
    known = figure.infinite or figure.value is not None
    return Piece(text, role, bold=True, of=of) if known else ABSENT._replace(of=of)


class TileView(Canvas[Shown]):
    """Rows of text between two half rows of padding. Subclasses write it; row 0 is the title."""

    title = ""

    def write(self) -> None:
        """Writes the tile with put() and its sisters."""
        raise NotImplementedError

    def ground(self) -> str:
        """The ground colour."""
        return "surface"

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        if height < 4:  # while a layout is on its way
            return [Line(width, self.look) for _ in range(height)]
        ground = self.ground()
        pad_top, pad_bottom = Line(width, self.look), Line(width, self.look)
        if not self.look.ascii_only:
            pad_top.put(0, glyphs.HALF_BELOW * width, ground)
            pad_bottom.put(0, glyphs.HALF_ABOVE * width, ground)
        self._rows = [Line(width, self.look, ground) for _ in range(height - 2)]
        self.write()
        return [pad_top, *self._rows, pad_bottom]

    def write_absent(self) -> None:
        """What stands there before anything is measured."""
        self.put(0, Piece(self.title))
        self.put(1, ABSENT)

    @property
    def room(self) -> int:
        """Cells between the paddings."""
        return self.size.width - 2

    @property
    def last(self) -> int:
        """The last row."""
        return len(self._rows) - 1

    @property
    def tall(self) -> bool:
        """There are rows for a caption and a big figure."""
        return self.last >= 4

    def put(self, row: int, *pieces: Piece, right: bool = False) -> None:
        """Pieces one after the other, at the left or the right edge; what does not fit is cut."""
        x = 1 + (max(0, self.room - cells_of(pieces)) if right else 0)
        for piece in pieces:
            width = 1 + self.room - x
            x = self._rows[row].put(x, piece.text, piece.role, bold=piece.bold, width=width, of=piece.of)

    def put_paragraph(self, row: int, text: str, short: str, role: str) -> None:
        """A text over the rows from `row` on, or its short form where it does not fit."""
        rows = wrap(text, self.room)
        for number, part in enumerate(rows if row + len(rows) <= self.last + 1 else [short], row):
            self.put(number, Piece(part, role))

    def put_spark(self, values: Sequence[float | None]) -> None:
        """Braille from row 2 on, unless every byte counts: two rows when there is one left for a caption.

        Only the newest cell is bright.
        """
        if self.look.calm:
            return
        for row, text in enumerate(braille(values, self.room, 2 if self.tall else 1), 2):
            self.put(row, Piece(text[:-1], "work_past"), Piece(text[-1:], "work"))

    def put_big(
        self,
        sign: str,
        figure: Figure,
        text: str,
        unit: str,
        *,
        waste: bool = False,
        role: str = "bright",
        beside: int = 0,
        of: FigurePath | None = None,
    ) -> bool:
        """A figure of three rows from row 1 on, its unit in the last of them, `beside` cells kept free in the others.

        Returns False, and draws nothing, when it is unknown or there is no room for it.
        """
        marks = signs(figure.marks)
        rows = big_figure(text.removeprefix(marks))
        known = figure.infinite or figure.value is not None
        if rows is None or not known or not self.tall or self.look.ascii_only or self.app.size.width < _BIG_FROM:
            return False
        sign = marks + sign.strip()
        x = 1 + len(sign) + 1
        if x + len(rows[0]) + 1 + max(beside, len(unit)) > self.room + 1:
            return False
        self.put(1, Piece(sign, "waste" if waste else role, bold=True))
        for row, cells in enumerate(rows, 1):
            self._rows[row].put(x, cells, "waste_fill" if waste else role, of=of)
        self._rows[3].put(x + len(rows[0]) + 1, unit, "waste" if waste else "quiet")
        return True


class Tile(TileView[Frame]):
    """A tile of the Frame's Snapshot."""

    def fill(self, snapshot: Snapshot) -> None:
        """Writes the tile."""
        raise NotImplementedError

    def write(self) -> None:
        if self.frame.snapshot is None:
            self.write_absent()
        else:
            self.fill(self.frame.snapshot)


def cells_of(pieces: Sequence[Piece]) -> int:
    """How many cells they take."""
    return sum(len(to_cells(piece.text)) for piece in pieces)


def few(figure: Figure) -> str:
    """ " few" for a figure that is marked so."""
    return " few" if formats.is_few(figure) else ""
