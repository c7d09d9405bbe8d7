"""Cursor rows: a list that scrolls, with one row under the cursor, which stays with what that row is about."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.message import Message

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas, Shown


class CursorRows(Canvas[Shown]):
    """Subclasses say what each row is about, and draw it. Only visible rows are drawn."""

    DEFAULT_CSS = """
    CursorRows { overflow: hidden auto; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """The cursor stands on another thing now."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._at: Hashable | None = None
        self._row = 0

    def subjects(self) -> Sequence[Hashable | None]:
        """What each row is about; None where the cursor cannot stand, such as on a heading."""
        raise NotImplementedError

    def draw_row(self, line: Line, number: int) -> None:
        """Draws a row on a line whose ground is that of the cursor already."""
        raise NotImplementedError

    def draw_empty(self, line: Line) -> None:
        """What stands there when there is no row."""
        raise NotImplementedError

    @property
    def cursor(self) -> int | None:
        """The row under the cursor; None where there is none to stand on."""
        row = row_of(self.subjects(), self._at, self._row)
        if row is not None:
            self._row = row
        return row

    def move_cursor(self, by: int) -> None:
        """Moves by rows to stand on, stopping at both ends, and scrolls it into view."""
        cursor, subjects = self.cursor, self.subjects()
        if cursor is None:
            return
        stands = _stands(subjects)
        self._stand_on(max(0, min(len(stands) - 1, stands.index(cursor) + by)))

    def put_cursor(self, row: int) -> bool:
        """Puts the cursor on a row; False where it cannot stand there."""
        stands = _stands(self.subjects())
        if row not in stands:
            return False
        self._stand_on(stands.index(row))
        return True

    def to_edge(self, *, last: bool) -> None:
        """To the first row to stand on, or the last."""
        if stands := _stands(self.subjects()):
            self._stand_on(len(stands) - 1 if last else 0)

    def _stand_on(self, position: int) -> None:
        subjects = self.subjects()
        self._row = _stands(subjects)[position]
        self._at = subjects[self._row]
        top = 0 if position == 0 else self._row  # with the heading above the first one
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, immediate=True)
        elif self._row >= self.scroll_offset.y + self.size.height:
            self.scroll_to(y=self._row - self.size.height + 1, animate=False, immediate=True)
        self.redraw()
        self.post_message(self.Moved())

    def rows(self) -> int:
        return max(1, len(self.subjects()))

    def draw(self, rows: range) -> list[Line]:
        count, cursor = len(self.subjects()), self.cursor
        lines = []
        for number in rows:
            line = Line(self.size.width, self.look)
            if not count:
                self.draw_empty(line)
            elif number < count:
                if number == cursor:
                    line.paint(MARGIN, self.size.width - 2 * MARGIN + self._bar_width, "selected")
                    line.put(MARGIN, glyphs.CURSOR, "ui")
                self.draw_row(line, number)
            lines.append(line)
        return lines

    @property
    def _bar_width(self) -> int:
        """A scroll bar stands in the margin."""
        return 1 if self.show_vertical_scrollbar else 0


def row_of(subjects: Sequence[Hashable | None], at: Hashable | None, row: int) -> int | None:
    """Where the cursor is that stood on `at` in `row`: there still, or, where that went, on what took its place."""
    if at is not None and row < len(subjects) and subjects[row] == at:
        return row  # several rows may be about things of one name
    if at is not None and at in subjects:
        return subjects.index(at)
    stands = _stands(subjects)
    return next((number for number in stands if number >= row), stands[-1]) if stands else None


def _stands(subjects: Sequence[Hashable | None]) -> list[int]:
    return [number for number, subject in enumerate(subjects) if subject is not None]
