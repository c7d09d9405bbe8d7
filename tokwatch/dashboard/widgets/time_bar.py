"""Time bar: one GPU's states over the whole session, or its day, with the marks and the moment that is looked at."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.state_bar import longest_states, put_states
from tokwatch.dashboard.charts.time_axis import put_times
from tokwatch.dashboard.charts.time_series import plot_place
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.mark_words import look_of_mark
from tokwatch.dashboard.widgets.gpu_charts import LABELS
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas
from tokwatch.dashboard.widgets.time_strip import shown_span
from tokwatch.feeds.questions.gpu_past import GpuPast
from tokwatch.ledger.gpu_past import GpuHistory
from tokwatch.ledger.snapshot import Snapshot

BAR_ROWS: Final = 4


class TimeBar(GpuCanvas):
    """The moment, the marks, the states, the times. What lies after the moment is drawn dark."""

    history: GpuHistory | None = None

    def take(self, history: GpuHistory | None) -> None:
        """Show these states from now on; None: they are another GPU's."""
        self.history = history
        self.redraw()

    def question(self, frame: Frame) -> GpuPast | None:
        """What is to be asked for, the same until a cell is complete; None where there is nothing to show."""
        _, cells = self._place()
        if frame.snapshot is None or frame.span_ms is None or cells < 1:
            return None
        from_ms, to_ms = shown_span(frame.span_ms, frame.snapshot)
        step_ms = max(1, -(-(to_ms - from_ms) // cells // 1000)) * 1000
        end_ms = to_ms // step_ms * step_ms
        return GpuPast(self.entity, end_ms, step_ms, -(-(end_ms - from_ms) // step_ms))

    def draw(self, rows: range) -> list[Line]:
        lines = [Line(self.size.width, self.look, "surface") for _ in range(self.size.height)]
        snapshot, span = self.frame.snapshot, self.frame.span_ms
        x, cells = self._place()
        if snapshot is None or span is None or len(lines) < BAR_ROWS or cells < 1:
            return lines
        from_ms, to_ms = shown_span(span, snapshot)
        moment, marks, states, times = lines[:BAR_ROWS]
        here = self._column(snapshot.tick_ms, from_ms, to_ms)
        states.put(MARGIN, "TIME", bold=True)
        if self.history is not None:
            found = longest_states(self.history.spans, from_ms, max(to_ms, from_ms + 1), cells)
            put_states(states, x, found[:here])
            put_states(states, x + here, found[here:], "s0")
        for mark in self.frame.marks:
            if from_ms <= mark.at_ms <= to_ms:
                marks.put(x + self._column(mark.at_ms, from_ms, to_ms), *look_of_mark(mark))
        self._put_moment(moment, x, x + here, snapshot)
        marks.put(x + here, glyphs.POSITION, "bright", bold=True)
        states.put(x + here, glyphs.CURSOR, "bright", bold=True)
        end = "live" if self.frame.can_go_live else "last"
        put_times(times, x, cells, from_ms, to_ms, snapshot.utc_offset_s, end)
        return lines

    def _put_moment(self, line: Line, first: int, column: int, snapshot: Snapshot) -> None:
        text = f" {formats.clock(snapshot.tick_ms, snapshot.utc_offset_s)} "
        at = max(first, min(line.width - MARGIN - len(text), column - len(text) // 2))
        line.paint(at, len(text), "ui_tint")
        line.put(at, text, "bright", bold=True)

    def _place(self) -> tuple[int, int]:
        """First column and cells; they begin where the charts above do."""
        x, cells = plot_place(self.size.width - 2 * MARGIN, LABELS)
        return x + MARGIN, cells

    def _column(self, at_ms: int, from_ms: int, to_ms: int) -> int:
        cells = self._place()[1]
        return max(0, min(cells - 1, (at_ms - from_ms) * cells // max(1, to_ms - from_ms)))
