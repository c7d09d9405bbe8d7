"""Fleet, the home screen: headline tiles, the GPU list, three hours of states, alerts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widget import Widget

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import Plan, plan
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.alert_list import AlertList, alert_count
from tokwatch.dashboard.widgets.gpu_list import GpuClosing, GpuHeading, GpuRows
from tokwatch.dashboard.widgets.state_strip import StateStrip
from tokwatch.dashboard.widgets.tiles import Tiles

KEYS = (
    ("?", "help"),
    ("space", "pause"),
    ("←→", "time"),
    ("$", "price"),
    ("q", "quit"),
    ("t", "theme"),
    ("g", "go to"),
)
PAST_KEYS = (
    ("?", "help"),
    ("space", "play"),
    ("n", "mark"),
    ("←→", "step"),
    ("g", "go to"),
    ("[ ]", "speed"),
    ("c", "compare"),
    ("$", "what if"),
)


class FleetScreen(FrameScreen):
    """Sections come and go with the size of the terminal, as layout.plan says."""

    BINDINGS = [
        Binding("down,j", "cursor(1)", "Next GPU"),
        Binding("up,k", "cursor(-1)", "Previous GPU"),
        Binding("pagedown", "cursor(10)", "Ten GPUs down"),
        Binding("pageup", "cursor(-10)", "Ten GPUs up"),
    ]
    TAB, KEYS, PAST_KEYS = "Fleet", KEYS, PAST_KEYS
    _plan: Plan | None = None
    _width = 0

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        yield Tiles(look)
        yield GpuHeading(look)
        yield GpuRows(look)
        yield GpuClosing(look)
        yield StateStrip(look)
        yield AlertList(look)

    def action_cursor(self, by: int) -> None:
        self.query_one(GpuRows).move_cursor(by)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        gpus = len(frame.snapshot.gpus) if frame.snapshot else 0
        new = plan(height, gpus, alert_count(frame.snapshot), replaying=not frame.live)
        if width != self._width:
            self._width = width
            self.query_one(Tiles).share_out(width)
        if new == self._plan:
            return
        self._plan = new
        self.query_one(AlertList).heading = new.alert_heading
        for widget, rows, gap in (
            (Tiles, new.tiles, 0),
            (GpuHeading, 2, new.list_gap),
            (GpuRows, new.list_rows, 0),
            (StateStrip, new.strip, new.strip_gap),
            (AlertList, new.alerts, new.alert_gap),
        ):
            _set_rows(self.query_one(widget), rows, gap)
        _set_rows(self.query_one(GpuClosing), 2, 0)


def _set_rows(widget: Widget, rows: int, gap: int) -> None:
    widget.display = rows > 0
    widget.styles.height = rows
    widget.styles.margin = (gap, 0, 0, 0)
