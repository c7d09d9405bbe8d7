"""Pointer: lies over one figure of whatever widget drew it, and shows it pointed at."""

from __future__ import annotations

from textual.geometry import Offset

from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.pointing import Target
from tokwatch.dashboard.widgets.canvas import Canvas


class Pointer(Canvas):
    """One row over the figure's cells, in brackets where both cells beside it are blank: seen without colour too."""

    DEFAULT_CSS = """
    Pointer { position: absolute; layer: inspecting; height: 1; width: 1; }
    """
    _text = ""
    _place: tuple[Offset, int] | None = None

    def point(self, target: Target, before: str, after: str) -> None:
        """Over `target`; `before` and `after` are what stands beside it."""
        bracketed = before == after == " "
        self._text = f"[{target.text}]" if bracketed else target.text
        place = Offset(target.x - bracketed, target.y), len(to_cells(self._text))
        if place != self._place:
            self._place = place
            self.styles.offset, self.styles.width = place
        self.redraw()

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look, ground="ui_tint")
        line.put(0, self._text, "ui", bold=True)
        return [line]
