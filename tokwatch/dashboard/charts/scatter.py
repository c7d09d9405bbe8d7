"""Scatter: points in a plane with a frontier, a trail, marks and the box in which a point is good enough."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.axis import ticks
from tokwatch.dashboard.charts.dots import Dots
from tokwatch.dashboard.charts.labels import Labels, cells_of
from tokwatch.dashboard.theme import Look

LEAST_WIDTH, LEAST_HEIGHT = 32, 8  # cells; with less it draws nothing
_Point = tuple[float, float]
_AGES: Final = ("s0", "s1", "s2")  # of the cloud, a third each, from the oldest on
_ABOVE: Final = 1.1  # headroom over the highest value, for labels
_NARROWEST: Final = 10
_CELLS_A_TICK_X, _CELLS_A_TICK_Y = 8, 5
_GRID, _EDGE_DOWN, _EDGE_ALONG = "·", "┆", "╌"


@dataclass(frozen=True, slots=True)
class Marked:
    """One point with a glyph and a word beside it: now, best, a reference. Without a glyph it is only a word."""

    x: float
    y: float
    glyph: str
    label: str
    role: str


@dataclass(frozen=True, slots=True)
class Goal:
    """The box: x at least, y at least; None is open. Labels say what each edge is."""

    x_least: float | None = None
    y_least: float | None = None
    title: str = ""  # in its upper right corner: "fast enough and cheap enough"
    x_label: str = ""  # "at least 40 tok/s per user"
    y_label: str = ""  # "at most $0.50 per M out"


@dataclass(frozen=True, slots=True)
class Scatter:
    """Drawn in this order, the last writer of a cell wins: others, cloud, frontier, trail, marks (the design guide).

    Coordinates that are not finite are not drawn; all others are inside the axes, of which y begins at 0.
    """

    cloud: tuple[_Point, ...]  # the oldest first: they are the darkest
    frontier: tuple[_Point, ...]  # by rising x, drawn as a stepped line
    trail: tuple[_Point, ...]  # the last half hour, in order
    marks: tuple[Marked, ...]  # the most important last
    goal: Goal
    x_unit: str
    y_unit: str
    write_x: Callable[[float], str]
    write_y: Callable[[float], str]
    right_unit: str = ""  # a second scale at the right, of the same ticks: $/M
    write_right: Callable[[float], str] | None = None  # what a y value above 0 is on it
    others: tuple[_Point, ...] = ()  # not to be compared with the cloud: of another mix

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        """Plot, and a last row with the scale of x. Blank where there is too little room, or no point at all."""
        lines = [Line(width, look) for _ in range(height)]
        points = list(_finite((*self.others, *self.cloud, *self.frontier, *self.trail, *self._marked)))
        if width >= LEAST_WIDTH and height >= LEAST_HEIGHT and points:
            plane = _Plane(self, points, width, height, look)
            plane.draw_scales(lines)
            plane.draw_goal(lines)
            plane.draw_points(lines)
        return lines

    @property
    def _marked(self) -> Iterable[_Point]:
        return ((mark.x, mark.y) for mark in self.marks)


class _Plane:
    """Where everything stands in one size: `x` cells from the left, `width` × `height` cells above the x scale."""

    def __init__(self, of: Scatter, points: Sequence[_Point], width: int, height: int, look: Look) -> None:
        self._of, self._look = of, look
        self.height = height - 1
        goal = of.goal
        self._top = max((*(y for _, y in points), goal.y_least or 0.0)) * _ABOVE or 1.0
        self._y_ticks = [
            tick for tick in ticks(self._top, max(2, self.height // _CELLS_A_TICK_Y)) if self._row(tick) > 0
        ]
        right = [of.write_right(tick) for tick in self._y_ticks if tick] if of.write_right else []
        left_width = self._widest((of.y_unit, *(of.write_y(tick) for tick in self._y_ticks)))
        right_width = self._widest((of.right_unit, *right)) if of.write_right else 0
        self.x = left_width + 1
        self.width = width - self.x - (right_width + 1 if right_width else 0)
        xs = [x for x, _ in points] + ([goal.x_least] if goal.x_least is not None else [])
        self._from, self._to, self._x_ticks = _x_scale(min(xs), max(xs), max(2, self.width // _CELLS_A_TICK_X))
        self._dots = Dots(self.width, self.height)

    def _widest(self, texts: Iterable[str]) -> int:
        return max(len(cells_of(text, self._look)) for text in texts)

    # --- places ---------------------------------------------------------------------------------------------------

    def _dot(self, point: _Point) -> tuple[int, int]:
        """(column, row) of a point in dots from the upper left."""
        share = (point[0] - self._from) / (self._to - self._from)
        return round(share * (self.width * 2 - 1)), round((1 - point[1] / self._top) * (self.height * 4 - 1))

    def _row(self, y: float) -> int:
        return round((1 - y / self._top) * (self.height * 4 - 1)) // 4

    def _cell(self, point: _Point) -> tuple[int, int]:
        column, row = self._dot(point)
        return column // 2, row // 4

    # --- drawing --------------------------------------------------------------------------------------------------

    def draw_scales(self, lines: Sequence[Line]) -> None:
        """Units, ticks and a dotted grid."""
        of, end = self._of, self.x + self.width
        lines[0].put(0, of.y_unit, "quiet", width=self.x - 1, right=True)
        if of.write_right:
            lines[0].put(end + 1, of.right_unit, "quiet")
        for tick in self._y_ticks:
            row = self._row(tick)
            lines[row].put(0, of.write_y(tick), "quiet", width=self.x - 1, right=True)
            if tick:
                for x in range(self.x, end, 2):
                    lines[row].put(x, _GRID, "track")
            if tick and of.write_right:
                lines[row].put(end + 1, of.write_right(tick), "quiet")
        scale, taken = lines[self.height], 0
        unit_from = scale.width - len(cells_of(of.x_unit, self._look))
        for tick in self._x_ticks:
            text = of.write_x(tick)
            at = self.x + self._cell((tick, 0.0))[0] - len(text) // 2
            if taken <= at and at + len(text) < unit_from:
                taken = scale.put(at, text, "quiet") + 1
        scale.put(unit_from, of.x_unit, "faint")

    def draw_goal(self, lines: Sequence[Line]) -> None:
        """The ground of the box and its edges, which dots may cover."""
        goal = self._of.goal
        column, row = self._edges()
        if goal.x_least is None and goal.y_least is None:
            return
        for line in lines[: row + 1]:
            line.paint(self.x + column, self.width - column, "work_tint")
        if goal.y_least is not None:
            lines[row].put(self.x + column, _EDGE_ALONG * (self.width - column), "work_past")
        if goal.x_least is not None:
            for y, line in enumerate(lines[: self.height]):
                line.put(self.x + column, _EDGE_DOWN, "work_past" if y <= row else "s0")

    def _edges(self) -> tuple[int, int]:
        """The first column and the last row of the box."""
        goal = self._of.goal
        column = 0 if goal.x_least is None else self._cell((goal.x_least, 0.0))[0]
        return column, self.height - 1 if goal.y_least is None else self._row(goal.y_least)

    def draw_points(self, lines: Sequence[Line]) -> None:
        """Dots, then the words of the box, then marks with labels where they cover least."""
        self._set(self._of.others, ("track",))
        self._set(self._of.cloud, _AGES)
        self._draw_frontier()
        self._set(self._of.trail, ("text",))
        self._dots.put(lines, self.x, 0)
        drawn = [line.text() for line in lines]
        labels = Labels(self.width, self.height, lambda x, y: drawn[y][self.x + x] not in f" {_GRID}", self._look)
        marks = [(self._cell((mark.x, mark.y)), mark) for mark in self._of.marks if _is_finite((mark.x, mark.y))]
        for cell, mark in marks:
            if mark.glyph:
                labels.keep_free(*cell, len(cells_of(mark.glyph, self._look)))
        self._name_edges(labels)
        for cell, mark in reversed(marks):
            labels.beside(cell, mark.label, mark.role, bold=mark is self._of.marks[-1])
        labels.put(lines, self.x)
        for cell, mark in marks:
            if mark.glyph:
                lines[cell[1]].put(self.x + cell[0], mark.glyph, mark.role, bold=True)

    def _set(self, points: Sequence[_Point], roles: Sequence[str]) -> None:
        for i, point in enumerate(points):
            if _is_finite(point):
                self._dots.set(*self._dot(point), roles[i * len(roles) // len(points)])

    def _draw_frontier(self) -> None:
        dots = [self._dot(point) for point in _finite(self._of.frontier)]
        for dot in dots:
            self._dots.set(*dot, "work")
        for (column, row), (to_column, to_row) in pairwise(dots):
            self._dots.line((column, row), (column, to_row), "work")
            self._dots.line((column, to_row), (to_column, to_row), "work")

    def _name_edges(self, labels: Labels) -> None:
        goal = self._of.goal
        column, row = self._edges()
        if goal.title:
            labels.within(range(column + 1, self.width - 1), 0, goal.title, "work", right=True)
        if goal.x_label:
            labels.within(range(column + 2, self.width - 1), self.height - 1, goal.x_label, "quiet")
        if goal.y_label:
            below = row + 1 if row + 1 < self.height - 1 else row - 1
            labels.within(range(column + 2, self.width - 1), below, goal.y_label, "quiet", right=True)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def _is_finite(point: _Point) -> bool:
    return math.isfinite(point[0]) and math.isfinite(point[1])


def _finite(points: Iterable[_Point]) -> Iterable[_Point]:
    return (point for point in points if _is_finite(point))


def _x_scale(low: float, high: float, most: int) -> tuple[float, float, list[float]]:
    """Where the axis begins and ends, and its ticks. It does not begin at 0: there is no room for an empty half. Nor is
    it narrower than a tenth of what it shows: noise would fill it."""
    spread = max(high - low, high / _NARROWEST) or 1.0
    margin = (spread - (high - low)) / 2 + spread / 20
    begin, end = max(0.0, low - margin) if low >= 0 else low - margin, high + margin
    step = next(iter(ticks(end - begin, most)[1:]), end - begin)
    return begin, end, [number * step for number in range(math.ceil(begin / step), int(end / step) + 1)]
