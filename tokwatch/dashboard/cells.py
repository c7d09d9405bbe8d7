"""Cells: turns text into terminal cells. The only way by which text from data reaches a screen."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from rich.cells import get_character_cell_size
from rich.segment import Segment
from textual.strip import Strip

from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.theme import Ink, Look, style_of

REPLACEMENT = "\ufffd"
_SECOND_HALF = ""  # the cell after a wide character
_JOINS_ITS_NEIGHBOUR = frozenset(
    chr(code) for code in (*range(0x1F1E6, 0x1F200), *range(0x1F3FB, 0x1F400))
)  # regional indicators, skin tones: their width depends on what stands before them


def to_cells(text: str) -> list[str]:
    """One item per terminal cell: a character, or "" for the second half of a wide one.

    Whatever a terminal could act on, or whose width terminals disagree about, becomes U+FFFD: controls (C0, DEL, C1),
    line separators, bidi marks, zero-width and unencodable characters.
    """
    if text.isascii() and text.isprintable():
        return list(text)
    cells: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        width = get_character_cell_size(character)
        if width == 0 or character in _JOINS_ITS_NEIGHBOUR or not (character.isprintable() or character == " "):
            cells.append(REPLACEMENT)
            continue
        cells.append(character)
        if width == 2:
            cells.append(_SECOND_HALF)
    return cells


def plain(text: str) -> str:
    """`text` as one harmless line, for where Lines do not go: the message left behind on exit."""
    return "".join(to_cells(text))


def fit(cells: list[str], width: int) -> list[str]:
    """`cells` cut to `width`, ending in "…" when something was cut; never half of a wide character."""
    if len(cells) <= width:
        return cells
    if width <= 0:
        return []
    kept = cells[: width - 1]
    if cells[width - 1] == _SECOND_HALF and kept:
        kept[-1] = " "
    return [*kept, "…"]


def wrap(text: str, width: int) -> list[str]:
    """`text` in rows of at most `width` cells, broken at blanks where there are any."""
    rows: list[str] = []
    row: list[str] = []
    width = max(1, width)
    for word in text.split():
        cells = to_cells(word)
        while cells:
            if row and len(row) + 1 + len(cells) <= width:
                row += [" ", *cells]
                break
            if row:
                rows.append("".join(row))
            row, cells = cells[:width], cells[width:]
            if not cells:
                break
    if row:
        rows.append("".join(row))
    return rows


class Line:
    """One row of cells being drawn. Cells outside of it are not drawn; later text covers earlier text."""

    __slots__ = ("_chars", "_inks", "_look", "width")

    def __init__(self, width: int, look: Look, ground: str = "bg") -> None:
        self.width = max(0, width)
        self._look = look
        self._chars = [" "] * self.width
        self._inks = [Ink(ground=ground)] * self.width

    def put(
        self,
        x: int,
        text: str,
        colour: str = "text",
        *,
        bold: bool = False,
        width: int | None = None,
        right: bool = False,
    ) -> int:
        """Draws `text` at `x` on the ground that is there, and returns the column after it.

        `width` is the room: longer text is cut with "…". With `right` the text ends at x + width, or, without a
        width, before x.
        """
        cells = to_cells(to_ascii(text) if self._look.ascii_only else text)
        room = self.width - x if width is None and not right else width
        if room is not None:
            cells = fit(cells, room)
        if right:
            x += (width or 0) - len(cells)
        for column, cell in enumerate(cells, x):
            if 0 <= column < self.width:
                self._chars[column] = cell
                self._inks[column] = Ink(colour, self._inks[column].ground, bold)
        return x + len(cells)

    def paint(self, x: int, width: int, ground: str) -> None:
        """Gives `width` cells from `x` another ground and keeps what is written on them."""
        for column in range(max(0, x), min(self.width, x + width)):
            self._inks[column] = self._inks[column]._replace(ground=ground)

    def text(self) -> str:
        """What it reads, without colours."""
        return "".join(self._chars)

    def changes(self, before: Line) -> Iterator[tuple[int, int]]:
        """(x, width) of every stretch that differs from `before`, a line of the same width."""
        start: int | None = None
        for column in range(self.width):
            same = self._chars[column] == before._chars[column] and self._inks[column] == before._inks[column]
            if same and start is not None:
                yield start, column - start
                start = None
            elif not same and start is None:
                start = column
        if start is not None:
            yield start, self.width - start

    def strip(self) -> Strip:
        """The line for Textual, one Segment per stretch of one style: every Segment costs about 45 bytes on the wire.

        A blank shows only its ground, so it joins the stretch before it when the ground is the same.
        """
        palette = self._look.palette
        segments: list[Segment] = []
        run: list[str] = []
        ink = Ink()
        for char, this in zip(self._chars, self._inks, strict=True):
            if run and this != ink and not (char == " " and this.ground == ink.ground):
                segments.append(Segment("".join(run), style_of(palette, ink)))
                run = []
            if not run:
                ink = this
            run.append(char)
        if run:
            segments.append(Segment("".join(run), style_of(palette, ink)))
        return Strip(segments, self.width)
