"""Stacked: parts of a whole over time as filled columns, with real ticks and times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.axis import round_up
from tokwatch.dashboard.charts.time_axis import put_times
from tokwatch.dashboard.theme import Look

_EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
# By layer from the bottom, where nothing else would tell layers apart.
_ASCII_FILLS: Final = ":#%@"
_SHADES: Final = "░▒█▓"
_LEAST_ROWS, _LEAST_COLUMNS = 3, 8
_HALF_FROM_ROWS = 5


@dataclass(frozen=True, slots=True)
class Layer:
    """One part; its values are per bucket, None where nothing is known."""

    name: str
    role: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Stacked:
    """Layers from the bottom up; bucket i is (from_ms + i × step_ms, + step_ms].

    A cell holds two colours: where three layers meet in one cell the larger wins and the top edge stays true. Buckets
    of which any layer is unknown are drawn as far as is known, with "·" above when the whole is not. More buckets than
    columns: a column is their mean by time, unknown where a third of it or more is.
    """

    layers: tuple[Layer, ...]
    from_ms: int
    step_ms: int
    write: Callable[[float], str]
    utc_offset_s: int = 0
    end: str = "now"
    label_width: int = 6

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        """Plot, and a last row with the times."""
        lines = [Line(width, look) for _ in range(height)]
        columns, rows = width - self.label_width - 1, height - 1
        if columns < _LEAST_COLUMNS or rows < _LEAST_ROWS:
            return lines
        layers = [resampled(layer.values, columns) for layer in self.layers]
        stacks = list(zip(*layers, strict=True)) if layers else []
        top = round_up(max((sum(part or 0.0 for part in stack) for stack in stacks), default=0.0))
        self._put_ticks(lines[:rows], top)
        left = self.label_width + 1
        for column, stack in enumerate(stacks):
            self._put_column(lines[:rows], left + column, stack, top, look)
        to_ms = self.from_ms + max((len(layer.values) for layer in self.layers), default=0) * self.step_ms
        put_times(lines[rows], left, columns, self.from_ms, to_ms, self.utc_offset_s, self.end)
        return lines

    def swatch(self, layer: int, look: Look) -> str:
        """What a layer is filled with, for a legend."""
        fills = _ASCII_FILLS if look.ascii_only else _SHADES if look.colourless else _EIGHTHS[-1]
        return fills[layer % len(fills)]

    # --- within ---------------------------------------------------------------------------------------------------

    def _put_ticks(self, plot: Sequence[Line], top: float) -> None:
        for value in (0.0, top / 2, top) if len(plot) >= _HALF_FROM_ROWS else (0.0, top):
            row = len(plot) - 1 - round(value / top * (len(plot) - 1))
            plot[row].put(0, self.write(value), "quiet", width=self.label_width, right=True)

    def _put_column(self, plot: Sequence[Line], x: int, stack: Sequence[float | None], top: float, look: Look) -> None:
        eighths = len(_EIGHTHS) - 1
        edges = _edges(stack, len(plot) * eighths, top)
        for row, line in enumerate(reversed(plot)):
            inside = [
                max(0, min(high, (row + 1) * eighths) - max(low, row * eighths))
                for low, high in zip((0, *edges), edges, strict=False)
            ]
            self._put_cell(line, x, inside, look)
        if None in stack:
            unknown_row = min(len(plot) - 1, -(-(edges[-1] if edges else 0) // eighths))
            plot[len(plot) - 1 - unknown_row].put(x, glyphs.UNWATCHED, "faint")

    def _put_cell(self, line: Line, x: int, inside: list[int], look: Look) -> None:
        """inside: eighths of the cell that each layer fills, from the bottom up."""
        filled, full = sum(inside), len(_EIGHTHS) - 1
        if not filled or (look.colourless and 2 * filled < full):
            return
        *_, second, largest = [0, *sorted(range(len(inside)), key=inside.__getitem__)]
        if look.colourless:
            line.put(x, self.swatch(largest, look), self.layers[largest].role)
        elif filled < full or inside[largest] == full:  # the ground is the page's: the top edge stays true
            line.put(x, _EIGHTHS[filled], self.layers[largest].role)
        else:  # one layer is the glyph, the other its ground
            lower, upper = sorted((second, largest))
            line.paint(x, 1, self.layers[upper].role)
            line.put(x, _EIGHTHS[sum(inside[: lower + 1])], self.layers[lower].role)


def resampled(values: Sequence[float | None], columns: int) -> list[float | None]:
    """One value a column: the mean by time of the buckets under it, None where a third of that or more is not known."""
    return [_mean(values, column, columns) for column in range(columns)]


def _mean(values: Sequence[float | None], column: int, columns: int) -> float | None:
    # In units of 1 ÷ columns of a bucket, so that all weights are whole.
    low, high = column * len(values), (column + 1) * len(values)
    known = amount = 0.0
    for index in range(low // columns, -(-high // columns)):
        value = values[index]
        if value is not None:
            weight = min(high, (index + 1) * columns) - max(low, index * columns)
            known += weight
            amount += weight * value
    return amount / known if 3 * known > 2 * (high - low) else None


def _edges(stack: Sequence[float | None], height: int, top: float) -> list[int]:
    """Upper edge of each layer in eighths of a cell; a layer that is there at all is an eighth thick, if that fits."""
    edges: list[int] = []
    total, below = 0.0, 0
    whole = min(height, round(sum(part or 0.0 for part in stack) / top * height))
    for part in stack:
        total += part or 0.0
        edge = round(total / top * height)
        if part and part > 0:
            edge = max(edge, below + 1)
        below = min(max(edge, below), max(whole, 1) if total > 0 else 0, height)
        edges.append(below)
    return edges
