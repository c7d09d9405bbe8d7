"""Scatter: points in a plane with a frontier, a trail, marks and the box in which a point is good enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.theme import Look


@dataclass(frozen=True, slots=True)
class Marked:
    """One point with a glyph and a word beside it: now, best, a reference."""

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
    """Drawn in this order, the last writer of a cell wins: cloud, frontier, trail, marks (the design guide)."""

    cloud: tuple[tuple[float, float], ...]
    frontier: tuple[tuple[float, float], ...]  # by rising x, drawn as a stepped dotted line
    trail: tuple[tuple[float, float], ...]  # the last half hour, in order
    marks: tuple[Marked, ...]
    goal: Goal
    x_unit: str
    y_unit: str
    write_x: Callable[[float], str]
    write_y: Callable[[float], str]
    right_unit: str = ""  # a second scale at the right, of the same ticks: $/M
    write_right: Callable[[float], str] | None = None  # what a y value is on it

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        raise NotImplementedError
