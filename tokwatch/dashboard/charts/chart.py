"""The interface of all charts, and the widget that shows one."""

from __future__ import annotations

from typing import Protocol

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas


class Chart(Protocol):
    """A frozen description of one drawing. Equal charts give equal Lines, so the drawing can be changed by itself."""

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        """`height` Lines of `width` cells. Too little room gives what still reads true, blank Lines at worst."""
        ...


class ChartView(Canvas):
    """A Canvas that shows one Chart; blank while there is none. Subclasses may make it from the Frame."""

    chart: Chart | None = None

    def take(self, chart: Chart | None) -> None:
        """Show this chart from now on."""
        self.chart = chart
        self.redraw()

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        if self.chart is None:
            return [Line(width, self.look) for _ in range(height)]
        return self.chart.draw(width, height, self.look)
