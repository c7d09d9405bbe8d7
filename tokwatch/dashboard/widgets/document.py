"""Document: headings, texts and tables as wrapped Lines. For screens that are read from top to bottom."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard.cells import Line, to_cells, wrap
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas, Shown
from tokwatch.dashboard.widgets.gpu_row import put_rule
from tokwatch.ledger.figure_path import FigurePath

_FACT, _FACT_TEXT = 14, 28  # columns


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

    def fact(self, label: str, text: str, role: str = "text") -> None:
        """A quiet label, and a paragraph to its right."""
        line = self.line()
        line.put(_FACT, label, "quiet", width=_FACT_TEXT - _FACT - 1)
        self.beside(line, _FACT_TEXT, text, role)

    def table(
        self,
        heading: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[int],
        of: Sequence[Sequence[FigurePath | None]] = (),
    ) -> None:
        """Rows of facts with several columns, of which the first is the label; each to the left in its width.

        of: the figures that the rows' columns after the label are.
        """
        none = (None,) * len(widths)
        for row, paths in zip((heading, *rows), (none, *(of or (none,) * len(rows))), strict=True):
            line = self.line()
            line.put(_FACT, row[0], "quiet", width=_FACT_TEXT - _FACT - 1)
            x = _FACT_TEXT
            for text, width, path in zip(row[1:], widths, paths, strict=True):
                line.put(x, text, "quiet" if row is heading else "text", width=width - 1, of=path)
                x += width

    def figures(self, label: str, pieces: Sequence[tuple[str, FigurePath | None]]) -> None:
        """A quiet label, and texts one after the other, some of them figures; a paragraph where they do not fit."""
        text = "".join(piece for piece, _ in pieces)
        if len(to_cells(text)) > self._width - _FACT_TEXT - MARGIN - 1:
            self.fact(label, text)
            return
        line = self.line()
        line.put(_FACT, label, "quiet", width=_FACT_TEXT - _FACT - 1)
        x = _FACT_TEXT
        for piece, path in pieces:
            x = line.put(x, piece, of=path)


class Document(Canvas[Shown]):
    """A Page that scrolls. Subclasses write it."""

    DEFAULT_CSS = """
    Document { height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; margin: 1 0; }
    """
    _lines: Sequence[Line] = ()
    _written_for: tuple[Shown, Look, int] | None = None

    def write(self, page: Page) -> None:
        """Writes the page from the Frame."""
        raise NotImplementedError

    def rows(self) -> int:
        return len(self._written())

    def draw(self, rows: range) -> list[Line]:
        return list(self._written()[rows.start : rows.stop])

    def scroll(self, by: int) -> None:
        """Moves by lines."""
        self.scroll_to(y=self.scroll_offset.y + by, animate=False)

    def rewrite(self) -> None:
        """Writes the page anew: what it is about changed without a Frame."""
        self._written_for = None
        self.redraw()

    def _written(self) -> Sequence[Line]:
        wanted = (self.frame, self.look, self.size.width)
        if self._written_for != wanted:
            page = Page(self.size.width, self.look)
            self.write(page)
            self._lines, self._written_for = page.lines, wanted
        return self._lines
