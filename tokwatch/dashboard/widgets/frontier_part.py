"""A part of the Frontier screen: a Canvas that draws from one FrontierView; and the heading of a section."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.frontier_view import FrontierView


class FrontierPart(Canvas):
    """The screen gives it the view before each Frame; None where there is no deployment."""

    view: FrontierView | None = None


def heading(lines: Sequence[Line], title: str, *beside: tuple[str, str]) -> None:
    """The first two lines: a bold title, (text, role) pieces at the right edge, and the rule."""
    lines[0].put(0, title, bold=True)
    x = lines[0].width - sum(len(to_cells(text)) for text, _ in beside)
    for text, role in beside:
        x = lines[0].put(x, text, role)
    lines[1].put(0, glyphs.RULE * lines[1].width, "rule")
