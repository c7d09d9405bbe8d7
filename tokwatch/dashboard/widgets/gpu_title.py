"""The first row of the GPU screen: which GPU it is, and how far back its charts reach."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas


class GpuTitle(GpuCanvas):
    """Name at the left; at the right its place among the others and the span, each with its keys."""

    span_ms = 0

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look)
        snapshot, row = self.frame.snapshot, self.row
        right = self._put_keys(line)
        if row is None or snapshot is None:
            text = "not there at this moment" if snapshot else self.frame.starting
            line.put(MARGIN, f"{glyphs.ABSENT} {text}", "quiet")
            return [line]
        name = row.device if row.device == "CPU" else f"{row.device} {row.index}"
        x = line.put(MARGIN, name, "bright", bold=True)
        for text, role in ((row.name.removeprefix("NVIDIA "), "quiet"), (row.serves, "text")):
            if text and x + 2 + len(to_cells(text)) < right:
                x = line.put(x + 2, text, role)
        return [line]

    def _put_keys(self, line: Line) -> int:
        """From the right; the column where they begin."""
        gpus = self.frame.snapshot.gpus if self.frame.snapshot else ()
        place = next((number for number, row in enumerate(gpus, 1) if row.entity == self.entity), None)
        x = line.width - MARGIN
        parts = [("+ -", f"last {formats.duration(self.span_ms / 1000, room=3)}")]
        if place is not None and len(gpus) > 1:
            parts.insert(0, ("↑↓", f"{place} of {len(gpus)}"))
        for keys, text in reversed(parts):
            x -= len(keys) + 1 + len(text)
            line.put(x, keys, "ui", bold=True)
            line.put(x + len(keys) + 1, text, "quiet")
            x -= 3
        return x + 1
