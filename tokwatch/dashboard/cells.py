"""Cells: turns text into terminal cells. The only way by which text from data reaches a screen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import compress, groupby
from operator import itemgetter, ne
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import get_character_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.theme import Ink, Look, is_drawn, style_of

if TYPE_CHECKING:  # a name in annotations; the first frame needs none of it
    from tokwatch.ledger.figure_path import FigurePath

REPLACEMENT = "\ufffd"
# Blanks, but for those that group the digits of a number. Compiled when first used: not part of the first frame.
_BREAKS = r"(?<!\d)\s+|\s+(?!\d{3}(?!\d))"
_SECOND_HALF = ""  # the cell after a wide character
_JOINS_ITS_NEIGHBOUR = frozenset(
    chr(code) for code in (*range(0x1F1E6, 0x1F200), *range(0x1F3FB, 0x1F400))
)  # regional indicators, skin tones: their width depends on what stands before them


def to_cells(text: str) -> list[str]:
    """One item per terminal cell: a character, or "" for the second half of a wide one.

    Whatever a terminal could act on, or whose width terminals disagree about, becomes U+FFFD: controls (C0, DEL, C1),
    line separators, bidi marks, zero-width and unencodable characters.
    """
    return list(text) if text.isascii() and text.isprintable() else list(_measured_cells(text))


@lru_cache(maxsize=4096)  # bars, rules and names come back at every frame
def _measured_cells(text: str) -> tuple[str, ...]:
    cells: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        width = get_character_cell_size(character)
        if width == 0 or character in _JOINS_ITS_NEIGHBOUR or not (character.isprintable() or character == " "):
            cells.append(REPLACEMENT)
            continue
        cells.append(character)
        if width == 2:
            cells.append(_SECOND_HALF)
    return tuple(cells)


def plain(text: str) -> str:
    """`text` as one harmless line, for where Lines do not go: the message left behind on exit."""
    return "".join(to_cells(text))


def fit(cells: list[str], width: int, ending: str = "…") -> list[str]:
    """`cells` cut to `width`, with the ending in the last of them when something was cut; never half a character."""
    if len(cells) <= width:
        return cells
    if width <= 0:
        return []
    kept = cells[: width - 1]
    if cells[width - 1] == _SECOND_HALF and kept:
        kept[-1] = " "
    return [*kept, ending]


def shorten(text: str, width: int) -> str:
    """`text`, or as many of its words as fit with "…" behind them: no number is cut in two."""
    if len(to_cells(text)) <= width:
        return text
    first = next(iter(wrap(text, width - 1)), "")
    return f"{first.rstrip(',;:')}…" if width > 1 else ""


def wrap(text: str, width: int) -> list[str]:
    """`text` in rows of at most `width` cells, broken at blanks where there are any, but not inside 12 431."""
    rows: list[str] = []
    row: list[str] = []
    width = max(1, width)
    for word in re.split(_BREAKS, text.strip()):
        cells = to_cells(word)
        while cells:
            if row and len(row) + 1 + len(cells) <= width:
                row += [" ", *cells]
                break
            if row:
                rows.append("".join(row))
            cut = width - 1 if width > 1 and cells[width : width + 1] == [_SECOND_HALF] else width
            row, cells = cells[:cut], cells[cut:]
            if not cells:
                break
    if row:
        rows.append("".join(row))
    return rows


class Spot(NamedTuple):
    """Where on a Line a figure stands, so that it can be pointed at, explained and copied."""

    x: int
    width: int
    path: FigurePath


@cache  # at most roles × grounds × 2
def _ink(colour: str, ground: str, bold: bool) -> Ink:
    """One object each, so that lines are compared by identity of their cells, not by value."""
    return Ink(colour, ground, bold)


class Line:
    """One row of cells being drawn. Cells outside of it are not drawn; later text covers earlier text."""

    __slots__ = ("_chars", "_inks", "_look", "spots", "width")

    def __init__(self, width: int, look: Look, ground: str = "bg") -> None:
        self.width = max(0, width)
        self._look = look
        self._chars = [" "] * self.width
        self._inks = [_ink("text", ground, False)] * self.width
        self.spots: list[Spot] = []

    def put(
        self,
        x: int,
        text: str,
        colour: str = "text",
        *,
        bold: bool = False,
        width: int | None = None,
        right: bool = False,
        of: FigurePath | None = None,
    ) -> int:
        """Draws `text` at `x` on the ground that is there, and returns the column after it. `of`: the figure it is.

        `width` is the room, else the rest of the line: longer text is cut with "…". With `right` it ends where the
        room ends.
        """
        cells = to_cells(text)
        if self._look.ascii_only:
            cells = list(to_ascii("".join(cells)))
        room = self.width - x if width is None else width
        cells = fit(cells, room, "~" if self._look.ascii_only else "…")
        if right:
            x += room - len(cells)
        end = x + len(cells)
        first, last = max(0, x), min(self.width, end)
        if first < last:
            if of is not None:
                self.spots.append(Spot(first, last - first, of))
            self._clear_halves(first)
            self._clear_halves(last)
            self._chars[first:last] = cells[first - x : last - x]
            below = self._inks[first:last]
            if below.count(below[0]) == last - first:  # nearly always, and half of the time of the rest
                self._inks[first:last] = [_ink(colour, below[0].ground, bold)] * (last - first)
            else:
                self._inks[first:last] = [_ink(colour, ink.ground, bold) for ink in below]
            if self._chars[first] == _SECOND_HALF:
                self._chars[first] = " "
            if last < end and cells[last - x] == _SECOND_HALF:
                self._chars[last - 1] = " "
        return end

    def _clear_halves(self, column: int) -> None:
        """Blanks the wide character that a text beginning or ending at `column` would leave one half of."""
        if 0 < column < self.width and self._chars[column] == _SECOND_HALF:
            self._chars[column - 1 : column + 1] = "  "

    def paint(self, x: int, width: int, ground: str) -> None:
        """Gives `width` cells from `x` another ground and keeps what is written on them."""
        for column in range(max(0, x), min(self.width, x + width)):
            ink = self._inks[column]
            self._inks[column] = _ink(ink.colour, ground, ink.bold)

    @property
    def colourless(self) -> bool:
        """It is drawn where colours tell nothing."""
        return self._look.colourless

    def text(self) -> str:
        """What it reads, without colours."""
        return "".join(self._chars)

    def cut(self, x: int, width: int) -> str:
        """What it reads in some of its cells."""
        return "".join(self._chars[max(0, x) : x + width])

    def changed(self, before: Line) -> Iterator[tuple[int, int]]:
        """The columns [first, end) between which it differs from `before`, a line of the same width, if it does.

        One stretch, however little differs inside it: for every stretch Textual sends the line from its left edge on.
        """
        if self._chars == before._chars and self._inks == before._inks:
            return
        cells = map(ne, zip(self._chars, self._inks, strict=True), zip(before._chars, before._inks, strict=True))
        differing = list(compress(range(self.width), cells))
        yield differing[0], differing[-1] + 1

    def strip(self) -> Strip:
        """The line for Textual, one Segment per stretch of one style: every Segment costs about 40 bytes on the wire.

        A blank shows only its ground, so it joins a neighbour on the same ground.
        """
        palette = self._look.palette
        segments: list[Segment] = []
        run: list[str] = []
        run_ink: Ink | None = None
        ground = ""
        if palette.native:
            return Strip(self._native_segments(), self.width)
        for char, ink in zip(self._chars, self._inks, strict=True):
            if run and (ink.ground != ground or (char != " " and run_ink not in (None, ink))):
                segments.append(Segment("".join(run), style_of(palette, run_ink or Ink(ground=ground))))
                run, run_ink = [], None
            run.append(char)
            ground = ink.ground
            if char != " ":
                run_ink = ink
        if run:
            segments.append(Segment("".join(run), style_of(palette, run_ink or Ink(ground=ground))))
        return Strip(segments, self.width)

    def _native_segments(self) -> Iterator[Segment]:
        """The same in the terminal's own colours: an underlined or reversed blank shows there, some marks do not."""
        palette = self._look.palette
        chars: list[str] = []
        styles: list[Style] = []
        for char, ink in zip(self._chars, self._inks, strict=True):
            style = style_of(palette, ink)
            chars.append(char if is_drawn(palette, ink) else " ")
            if chars[-1] == " " and not (style.reverse or style.underline):
                plain_one = style_of(palette, Ink(ground=ink.ground))
                before = styles[-1] if styles else plain_one
                joins = before.bgcolor == plain_one.bgcolor and not (before.reverse or before.underline)
                style = before if joins else plain_one
            styles.append(style)
        for style, run in groupby(zip(styles, chars, strict=True), key=itemgetter(0)):
            yield Segment("".join(char for _, char in run), style)
