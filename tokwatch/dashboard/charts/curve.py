"""Curve: one value against another as a dotted line, with a level to compare with and marks on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.scatter import Marked
from tokwatch.dashboard.theme import Look


@dataclass(frozen=True, slots=True)
class Curve:
    """Cost per token against utilisation: points by rising x; above `level` they are drawn in `above_role`."""

    points: tuple[tuple[float, float], ...]
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
        raise NotImplementedError
