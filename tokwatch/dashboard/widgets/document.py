"""Document: headings, texts and tables as wrapped Lines. For screens that are read from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import put_rule


class Page:
    """Lines in the making."""

    def __init__(self, width: int, look: Look) -> None:
        self.lines: list[Line] = []
        self._width = width
        self._look = look

    def line(self) -> Line:
        """A new blank line."""
        self.lines.append(Line(self._width, self._look))
        return self.lines[-1]

    def heading(self, text: str, beside: str = "") -> None:
        """A bold heading over a rule, with a blank line above unless it is the first."""
        if self.lines:
            self.line()
        line = self.line()
        x = line.put(MARGIN, text, bold=True)
        line.put(x + 2, beside, "quiet")
        put_rule(self.line())

    def text(self, x: int, text: str, role: str = "quiet") -> None:
        """A paragraph from column `x`, wrapped at words."""
        for row in wrap(text, self._width - x - MARGIN - 1):
            self.line().put(x, row, role)

    def beside(self, line: Line, x: int, text: str, role: str = "quiet") -> None:
        """A paragraph that begins on a line already there and goes on below, at the same column."""
        first, *more = wrap(text, self._width - x - MARGIN - 1) or [""]
        line.put(x, first, role)
        for row in more:
            self.line().put(x, row, role)


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


class Document(Canvas):
    """A Page that scrolls. Subclasses write it."""

    DEFAULT_CSS = """
    Document { height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; margin: 1 0; }
    """
    _lines: Sequence[Line] = ()

    def write(self, page: Page) -> None:
        """Writes the page from the Frame."""
        raise NotImplementedError

    def rows(self) -> int:
        return len(self._lines)

    def draw(self, rows: range) -> list[Line]:
        return list(self._lines[rows.start : rows.stop])

    def redraw(self) -> None:
        page = Page(self.size.width, self.look)
        self.write(page)
        self._lines = page.lines
        super().redraw()

    def on_resize(self) -> None:
        self.redraw()

    def set_look(self, look: Look) -> None:
        super().set_look(look)
        self.redraw()
