"""Alert detail: everything about one alert, fault, problem or mute."""

from __future__ import annotations

from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.alert_entries import Fault
from tokwatch.dashboard.widgets.alert_words import told_in_full
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_row import put_rule
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.snapshot import AlertRow

_TEXT = MARGIN + 12  # column
Told = AlertRow | Fault | Mute | str


class AlertDetail(Canvas):
    """A heading, and facts that scroll where there are more than fit; blank while there is nothing to tell."""

    DEFAULT_CSS = """
    AlertDetail { overflow: hidden auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._entry: Told | None = None

    def take(self, entry: Told | None) -> None:
        """Tell this one from now on."""
        self._entry = entry
        self.redraw()

    def rows(self) -> int:
        return max(self.size.height, len(self._lines()))

    def draw(self, rows: range) -> list[Line]:
        lines = self._lines()
        lines += [Line(self.size.width, self.look) for _ in range(rows.stop - len(lines))]
        return lines[rows.start : rows.stop]

    def _lines(self) -> list[Line]:
        snapshot, width = self.frame.snapshot, self.size.width
        if self._entry is None or snapshot is None:
            return []
        name, facts = told_in_full(self._entry, snapshot)
        lines = [Line(width, self.look), Line(width, self.look)]
        lines[0].put(MARGIN, name.upper(), bold=True, width=width - 2 * MARGIN)
        put_rule(lines[1])
        for label, text, role in facts:
            for number, row in enumerate(wrap(text, width - _TEXT - MARGIN)):
                line = Line(width, self.look)
                if not number:
                    line.put(MARGIN, label, "quiet", width=_TEXT - MARGIN - 1)
                line.put(_TEXT, row, role)
                lines.append(line)
        return lines
