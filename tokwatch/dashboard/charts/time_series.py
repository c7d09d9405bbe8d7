"""Time series: one value over time as columns of braille, with real ticks, a limit, and a colour for each stretch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.axis import round_up
from tokwatch.dashboard.charts.time_axis import put_times
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.sparkline import braille_cell
from tokwatch.ledger.figure_path import FigurePath

_LEAST = 8  # cells of a plot
_DOTS = 4  # of a braille cell, from its bottom up


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
    now_unit: str = ""  # behind the value of now; the unit without what else stands in it
    now_of: FigurePath | None = None  # the figure that the value of now is
    nothing: str = ""  # what the plot says when nothing in it was measured

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        lines = [Line(width, look) for _ in range(height)]
        if not lines:
            return lines
        self._put_heading(lines[0])
        x, cells = plot_place(width, self.label_width)
        plot = lines[1 : height - 1 if self.times else height]
        if cells < _LEAST:
            return lines
        if plot:
            self._put_plot(plot, x, cells)
        if self.times and height > 1:
            to_ms = self.from_ms + len(self.values) * self.step_ms
            put_times(lines[-1], x, cells, self.from_ms, to_ms, self.utc_offset_s, self.end)
        return lines

    def _put_heading(self, line: Line) -> None:
        end = line.put(line.put(0, self.title, bold=True) + 1, self.unit, "quiet")
        unit = f" {self.now_unit or self.unit}"
        x = line.width - len(self.now) - len(unit)
        if x > end:
            known = self.now != glyphs.ABSENT
            x = line.put(x, self.now, "bright" if known else "faint", bold=known, of=self.now_of)
            line.put(x, unit, "quiet")

    def _put_plot(self, lines: list[Line], x: int, cells: int) -> None:
        known = [value for value in self.values if value is not None]
        top = round_up(max([*known, self.limit or 0.0]))
        limit_row = None if self.limit is None else _row(self.limit, top, len(lines))
        for tick in _ticks(top, len(lines)) if known or self.limit else ():
            row = _row(tick, top, len(lines))
            if row != limit_row or tick == self.limit:
                lines[row].put(0, self.write(tick), "quiet", width=self.label_width, right=True)
                lines[row].put(x, f"{glyphs.UNWATCHED} " * (cells // 2), "track")
        if limit_row is not None:
            lines[limit_row].put(x, glyphs.LIMIT * cells, "faint")
        if not known:
            lines[len(lines) // 2].put(x + 2, f" {self.nothing} ", "quiet", width=cells - 2)
        for line, drawn in zip(lines, self._cells(cells, len(lines), top) if known else (), strict=False):
            column = x
            for role, run in groupby(drawn, key=itemgetter(1)):
                text = "".join(dots for dots, _ in run)
                if role:
                    line.put(column, text, role)
                column += len(text)
        if limit_row is not None and self.limit_label:  # over the dots, which may reach into its row
            lines[limit_row].put(x + 2, f" {self.limit_label} ", "quiet")

    def _cells(self, cells: int, rows: int, top: float) -> Iterator[list[tuple[str, str]]]:
        """(braille, role) of every cell, row by row from the top; the role of an empty one is ""."""
        dots = 2 * cells
        buckets = [dot * len(self.values) // dots for dot in range(dots)]
        levels = [_level(self.values[bucket], top, rows) for bucket in buckets]
        for below in range(_DOTS * (rows - 1), -1, -_DOTS):
            row = []
            for dot in range(0, dots, 2):
                left, right = levels[dot] - below, levels[dot + 1] - below
                bucket = buckets[dot + 1 if right >= left else dot]  # a cell has one colour: the taller one's
                row.append((braille_cell(left, right), self.roles[bucket] if left > 0 or right > 0 else ""))
            yield row


def plot_place(width: int, label_width: int) -> tuple[int, int]:
    """First column and cells of the plot in a chart of `width`; two buckets a cell show one dot each."""
    return label_width + 1, max(0, width - label_width - 1)


def _ticks(top: float, rows: int) -> tuple[float, ...]:
    """In an odd number of rows the middle tick stands in the middle."""
    return (0.0, top / 2, top) if rows >= 5 else (0.0, top) if rows >= 2 else ()


def _row(value: float, top: float, rows: int) -> int:
    """The row from the top that a value reaches into."""
    return rows - 1 - min(rows - 1, int(value / top * rows))


def _level(value: float | None, top: float, rows: int) -> int:
    """Dots from the bottom; a measured zero has one, what was not measured none."""
    return 0 if value is None else max(1, min(_DOTS * rows, round(value / top * _DOTS * rows)))
