"""Curve: one value against another as a dotted line, with a level to compare with and marks on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.charts.axis import round_up, ticks
from tokwatch.dashboard.charts.dots import ACROSS, DOWN, Dots
from tokwatch.dashboard.charts.labels import Labels
from tokwatch.dashboard.charts.scatter import Marked
from tokwatch.dashboard.glyphs import LIMIT
from tokwatch.dashboard.theme import Look

_LEAST_ROWS: Final = 3
_LEAST_COLUMNS: Final = 12
_X_TICK_CELLS: Final = 6  # a tick and the room that parts it from the next

Point = tuple[float, float]


class _Plane(NamedTuple):
    """Where values lie on the plot: x in [left, right] and y in [0, top] over columns × rows of cells."""

    left: float
    right: float
    top: float
    columns: int
    rows: int

    def dot(self, x: float, y: float) -> tuple[int, int]:
        """Column and row of a dot, from the upper left."""
        across = (x - self.left) / (self.right - self.left) * (ACROSS * self.columns - 1)
        return round(across), round((1 - y / self.top) * (DOWN * self.rows - 1))

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Column and row of the cell that a value lies in, or is nearest to."""
        across, down = self.dot(min(max(x, self.left), self.right), min(max(y, 0.0), self.top))
        return across // ACROSS, down // DOWN


@dataclass(frozen=True, slots=True)
class Curve:
    """Cost per token against utilisation: points by rising x; above `level` they are drawn in `above_role`."""

    points: tuple[Point, ...]
    marks: tuple[Marked, ...]
    write_x: Callable[[float], str]
    write_y: Callable[[float], str]
    level: float | None = None
    level_label: str = ""
    crossing_label: str = ""  # beside the place where the curve meets the level
    below_role: str = "work"
    above_role: str = "waste"
    top: float | None = None  # the axis ends here; what lies above is cut
    label_width: int = 6

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        lines = [Line(width, look) for _ in range(height)]
        columns, rows = width - self.label_width - 1, height - 1
        if columns < _LEAST_COLUMNS or rows < _LEAST_ROWS or len(self.points) < 2:
            return lines
        highest = max([y for _, y in self.points] + [mark.y for mark in self.marks] + [self.level or 0.0])
        plane = _Plane(self.points[0][0], self.points[-1][0], self.top or round_up(highest), columns, rows)
        plot, x = lines[:rows], self.label_width + 1
        self._put_y_labels(plot, plane)
        if self._level_shown(plane):
            plot[plane.cell(0.0, self.level or 0.0)[1]].put(x, LIMIT * columns, "faint")
        drawn = self._put_curve(plot, plane)
        for mark in self.marks:
            column, row = plane.cell(mark.x, mark.y)
            plot[row].put(x + column, mark.glyph, mark.role, bold=True)
        self._put_words(plot, plane, drawn, look)
        self._put_x_labels(lines[rows], plane)
        return lines

    def crossing(self) -> Point | None:
        """Where the curve comes down to the level; None where it never does."""
        if self.level is None:
            return None
        for (x, y), (next_x, next_y) in pairwise(self.points):
            if y > self.level >= next_y:
                return x + (y - self.level) / (y - next_y) * (next_x - x), self.level
        return None

    # --- within ---------------------------------------------------------------------------------------------------

    def _level_shown(self, plane: _Plane) -> bool:
        return self.level is not None and self.level <= plane.top

    def _put_y_labels(self, plot: Sequence[Line], plane: _Plane) -> None:
        written: set[int] = set()
        for value in (0.0, plane.top, self.level):
            row = -1 if value is None or value > plane.top else plane.cell(plane.left, value)[1]
            if value is not None and row >= 0 and written.isdisjoint((row - 1, row, row + 1)):
                plot[row].put(0, self.write_y(value), "quiet", width=self.label_width, right=True)
                written.add(row)

    def _put_curve(self, plot: Sequence[Line], plane: _Plane) -> set[tuple[int, int]]:
        """The cells that it goes through."""
        dots, cells = Dots(plane.columns, plane.rows), set()
        for above in (False, True):  # the last writer of a cell wins: near the level the dear side is shown
            role = self.above_role if above else self.below_role
            for start, end in pairwise(self._fitting(plane)):
                if (self.level is not None and start[1] > self.level) == above:
                    dots.line(plane.dot(*start), plane.dot(*end), role)
                    cells |= {plane.cell(*start), plane.cell(*end)}
        dots.put(plot, self.label_width + 1, 0)
        return cells

    def _fitting(self, plane: _Plane) -> Iterator[Point]:
        """The points, cut where the curve leaves the plot at its top and where it meets the level."""
        for (x, y), (next_x, next_y) in pairwise(self.points):
            if y <= plane.top:
                yield x, y
            for edge in (plane.top, self.level):
                if edge is not None and y > edge > next_y:
                    yield x + (y - edge) / (y - next_y) * (next_x - x), edge
        if self.points[-1][1] <= plane.top:
            yield self.points[-1]

    def _put_words(self, plot: Sequence[Line], plane: _Plane, drawn: set[tuple[int, int]], look: Look) -> None:
        labels = Labels(plane.columns, plane.rows, lambda x, y: (x, y) in drawn, look)
        for mark in self.marks:
            labels.keep_free(*plane.cell(mark.x, mark.y), 1)
        crossing = self.crossing()
        if self._level_shown(plane) and self.level is not None:
            row = plane.cell(plane.left, self.level)[1]
            labels.within(range(plane.columns), row - 1 if row else row + 1, self.level_label, "quiet", right=True)
            for column in range(plane.columns):
                labels.keep_free(column, row, 1)
        if crossing is not None and crossing[1] <= plane.top:
            labels.beside(plane.cell(*crossing), self.crossing_label, "bright", bold=True)
        for mark in self.marks:
            labels.beside(plane.cell(mark.x, mark.y), mark.label, mark.role, bold=True)
        labels.put(plot, self.label_width + 1)

    def _put_x_labels(self, line: Line, plane: _Plane) -> None:
        """Both ends, and between them what has room."""
        between = ticks(plane.right, plane.columns // _X_TICK_CELLS)
        taken: list[range] = []
        for value in (plane.left, plane.right, *between):
            label = self.write_x(value)
            cells = len(to_cells(label))
            x = min(self.label_width + 1 + plane.cell(value, 0.0)[0] - (cells - 1) // 2, line.width - cells)
            if value >= plane.left and all(x + cells + 2 <= other.start or other.stop + 2 <= x for other in taken):
                line.put(x, label, "quiet")
                taken.append(range(x, x + cells))
