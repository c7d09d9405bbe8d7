"""A section of the Money and What-if screens: a Canvas with a heading and a rule, put at a place on the screen."""

from __future__ import annotations

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import put_rule


class MoneySection(Canvas):
    """Subclasses write as many Lines as they have; the rest of their rows stays blank."""

    DEFAULT_CSS = """
    MoneySection { position: absolute; }
    """

    def write(self, width: int, height: int) -> list[Line]:
        """Its Lines, from the heading on."""
        raise NotImplementedError

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = self.write(width, height)[:height]
        return lines + [Line(width, self.look) for _ in range(height - len(lines))]

    def line(self) -> Line:
        """A blank one."""
        return Line(self.size.width, self.look)

    def heading(self, text: str, beside: str = "") -> Line:
        """A bold heading with quiet words behind it."""
        line = self.line()
        x = line.put(MARGIN, text, bold=True)
        line.put(x + 2, beside, "quiet", width=max(0, line.width - MARGIN - x - 2))
        return line

    def rule(self) -> Line:
        """A thin line from margin to margin."""
        line = self.line()
        put_rule(line)
        return line
