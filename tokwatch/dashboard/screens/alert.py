"""Alert: all of one alert that is about no GPU, of a problem, or of a mute."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.alert_detail import AlertDetail, Told
from tokwatch.dashboard.widgets.alert_rows import subject_of
from tokwatch.ledger.snapshot import AlertRow


class AlertScreen(FrameScreen):
    """As it was when it was opened, followed while it stands."""

    BINDINGS = [
        Binding("down,j", "scroll(1)", "Down", id="alert.down"),
        Binding("up,k", "scroll(-1)", "Up", id="alert.up"),
        Binding("escape", "app.leave", "Back to all alerts", id="alert.back"),
    ]
    TAB, DRILLED = "Alerts", True
    KEYS = (("esc", "back"), ("space", "pause"), ("←→", "time"), ("?", "help"))
    PAST_KEYS = (("esc", "back"), ("space", "play"), ("n", "mark"), ("←→", "step"), ("?", "help"))
    DEFAULT_CSS = """
    AlertScreen AlertDetail { height: 1fr; margin: 1 0; }
    """

    def __init__(self, entry: Told) -> None:
        super().__init__()
        self._entry = entry

    def body(self) -> ComposeResult:
        yield AlertDetail(self.tokwatch.look)

    def show(self, frame: Frame) -> None:
        super().show(frame)
        alerts = frame.snapshot.alerts if frame.snapshot else ()
        same = (alert for alert in alerts if subject_of(alert) == subject_of(self._entry))
        self._entry = next(same, self._entry) if isinstance(self._entry, AlertRow) else self._entry
        self.query_one(AlertDetail).take(self._entry)

    def action_scroll(self, by: int) -> None:
        detail = self.query_one(AlertDetail)
        detail.scroll_to(y=detail.scroll_offset.y + by, animate=False)
