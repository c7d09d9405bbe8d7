"""Work line: how far a long work has come, over the footer while there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas

if TYPE_CHECKING:  # what runs a command is loaded with the first one
    from tokwatch.dashboard.long_work import Work

_BAR_CELLS = 20
_CANCEL = ("X", "cancel")


class WorkLine(Canvas):
    """One row: what is done, a bar, the part, the time left, and the key that ends it."""

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._work: Work | None = None

    def take(self, work: Work | None) -> None:
        """Show this work; None: there is none."""
        self._work = work
        self.redraw()

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look, ground="ui_tint")
        if self._work is None:
            return [line]
        key, label = _CANCEL
        right = line.width - MARGIN - len(f"{key} {label}")
        line.put(right, key, "ui", bold=True)
        line.put(right + len(key) + 1, label, "quiet")
        x = line.put(MARGIN + 1, self._work.title, "text", bold=True, width=max(0, right - MARGIN - 3)) + 2
        if self._work.part is None:
            line.put(x, glyphs.ABSENT, "quiet")
        elif x + _BAR_CELLS + 6 < right:
            cells = round(self._work.part * _BAR_CELLS)
            line.put(x, glyphs.BAR * cells, "ui")
            x = line.put(x + cells, glyphs.RULE * (_BAR_CELLS - cells), "track") + 1
            x = line.put(x, f"{formats.percent(self._work.part):>3} %", "text") + 2
            if self._work.left_s is not None:
                line.put(x, f"{formats.duration(self._work.left_s)} left", "quiet", width=max(0, right - 2 - x))
        return [line]
