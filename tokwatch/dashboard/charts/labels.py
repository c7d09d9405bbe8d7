"""Labels: words on a chart, each put where it covers no mark, no other word, and as little else as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from tokwatch.dashboard.cells import Line, fit, to_cells
from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.theme import Look

_LONGEST: Final = 28  # cells of a label beside a mark
_GAP: Final = 2  # cells between a mark and the word beside it
_APART: Final = 3  # cells between a word and what is not its own
_FARTHER: Final = 0.4  # a place further off must cover so many cells less


def cells_of(text: str, look: Look) -> list[str]:
    """The cells that a text takes: on a terminal limited to ASCII it may be longer."""
    cells = to_cells(text)
    return list(to_ascii("".join(cells))) if look.ascii_only else cells


class _Word(NamedTuple):
    x: int
    y: int
    cells: list[str]
    role: str
    bold: bool


class Labels:
    """Words in a plane of `width` × `height` cells. What finds no place is left out: a chart says nothing twice."""

    def __init__(self, width: int, height: int, is_drawn: Callable[[int, int], bool], look: Look) -> None:
        self._width, self._height, self._is_drawn, self._look = width, height, is_drawn, look
        self._taken: set[tuple[int, int]] = set()
        self._words: list[_Word] = []

    def keep_free(self, x: int, y: int, width: int) -> None:
        """No word may cover these cells: a mark stands there."""
        self._taken.update((x + i, y) for i in range(width))

    def within(self, columns: range, y: int, text: str, role: str, *, right: bool = False) -> None:
        """A word at the left or the right end of a stretch of one row, or at the other end where a mark stands."""
        cells = cells_of(text, self._look)
        ends = (columns.start, columns.stop - len(cells))
        for x in reversed(ends) if right else ends:
            if len(cells) <= len(columns) and self._is_free(x, y, len(cells)):
                self._place(_Word(x, y, cells, role, False))
                return

    def beside(self, mark: tuple[int, int], text: str, role: str, *, bold: bool = False) -> None:
        """A word near the mark at a cell: where it covers little and is not far off."""
        cells = fit(cells_of(text, self._look), _LONGEST)
        free = [
            (sum(self._is_drawn(x + i, y) for i in range(len(cells))) + order * _FARTHER, order, x, y)
            for order, (x, y) in enumerate(_places(mark, len(cells)))
            if self._is_free(x, y, len(cells), of=mark)
        ]
        if cells and free:
            _, _, x, y = min(free)
            self._place(_Word(x, y, cells, role, bold))

    def put(self, lines: Sequence[Line], x: int) -> None:
        """Draws the words on a plane whose first column is `x`."""
        for word in self._words:
            lines[word.y].put(x + word.x, "".join(word.cells), word.role, bold=word.bold)

    def _is_free(self, x: int, y: int, width: int, of: tuple[int, int] | None = None) -> bool:
        """Inside, and apart from other marks and words: near another mark it would be taken for its name."""
        inside = 0 <= y < self._height and x >= 0 and x + width <= self._width
        around = {(x + i, y) for i in range(-_APART, width + _APART)} - {of}
        return inside and not around & self._taken

    def _place(self, word: _Word) -> None:
        self._words.append(word)
        self._taken.update((word.x + i, word.y) for i in range(len(word.cells)))


def _places(mark: tuple[int, int], width: int) -> Iterator[tuple[int, int]]:
    """Where a word of `width` cells may begin: right, left, above and below of its mark, then further off."""
    x, y = mark
    yield x + _GAP, y
    yield x - _GAP - width + 1, y
    for rows in (1, 2):
        for to in (y - rows, y + rows):
            yield x + _GAP, to
            yield x - _GAP - width + 1, to
            yield x - width // 2, to
