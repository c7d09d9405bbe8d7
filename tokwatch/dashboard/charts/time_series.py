"""Time series: one value over time as columns of braille, with real ticks, a limit, and a colour for each stretch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.theme import Look


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Bucket i is (from_ms + i × step_ms, + step_ms]; None was not measured and stays blank, 0 is drawn.

    Row 0 is the heading: bold title, quiet unit, and the value of now at the right. `roles` colours each bucket.
    """

    title: str
    unit: str
    now: str  # the figure at the right end, already written: "128", "–"
    from_ms: int
    step_ms: int
    values: tuple[float | None, ...]
    roles: tuple[str, ...]  # one of the palette for each value: "work_past", "waste_fill", "s2", "alarm", …
    write: Callable[[float], str]  # a tick of the axis
    utc_offset_s: int = 0
    limit: float | None = None  # drawn dashed, with its label
    limit_label: str = ""
    times: bool = False  # a last row with the times
    end: str = "now"  # what stands at the right end of the times
    label_width: int = 6  # columns of the tick labels, so that charts above one another line up

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        raise NotImplementedError
