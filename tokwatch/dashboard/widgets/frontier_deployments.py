"""The deployments that can be looked at, in one row; the one on screen stands out."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard.cells import Line, fit, to_cells
from tokwatch.dashboard.widgets.frontier_part import FrontierPart

_LONGEST = 28  # cells of a name
_GAP = 1


class FrontierDeployments(FrontierPart):
    """Names from left to right, as many around the current one as fit; at the right its GPUs and the span."""

    def draw(self, rows: range) -> list[Line]:
        line, view = Line(self.size.width, self.look), self.view
        if view is None:
            return [line]
        gpus = view.row.gpus
        beside = f"{gpus} GPU{'s' * (gpus != 1)}   {view.span_words}"
        x = line.width - 1 - len(beside)
        names = ["".join(fit(to_cells(name), _LONGEST)) for _, name in view.deployments]
        current = next(i for i, (entity, _) in enumerate(view.deployments) if entity == view.row.entity)
        first, end = shown([len(to_cells(name)) + 2 for name in names], current, x - 6)
        at = line.put(1, "… ", "quiet") if first else 1
        for i in range(first, end):
            cells = len(to_cells(names[i]))
            if i == current and len(names) > 1:
                line.paint(at, cells + 2, "ui_tint")
            line.put(at + (len(names) > 1), names[i], "bright" if i == current else "quiet", bold=i == current)
            at += cells + 2 + _GAP
        if end < len(names):
            line.put(at, "…", "quiet")
        line.put(x, beside, "quiet")
        return [line]


def shown(widths: Sequence[int], current: int, room: int) -> tuple[int, int]:
    """[first, end) of the items around the current one that fit beside one another, a cell apart."""
    first, end, room = current, current + 1, room - widths[current]
    while True:
        if end < len(widths) and widths[end] + _GAP <= room:
            room -= widths[end] + _GAP
            end += 1
        elif first > 0 and widths[first - 1] + _GAP <= room:
            first -= 1
            room -= widths[first] + _GAP
        else:
            return first, end
