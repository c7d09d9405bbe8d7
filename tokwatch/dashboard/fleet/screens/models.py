"""Models: every deployment over its hosts, with its latency, its balance and who is left out."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard.fleet.base import FleetScreenBase, set_rows
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.layout import ListPlan, list_plan
from tokwatch.dashboard.fleet.widgets.model_list import ModelClosing, ModelHeading, ModelRows

LIST_KEYS = [
    Binding("down,j", "cursor(1)", "Next row"),
    Binding("up,k", "cursor(-1)", "Previous row"),
    Binding("pagedown", "cursor(20)", "Twenty rows down"),
    Binding("pageup", "cursor(-20)", "Twenty rows up"),
    Binding("escape", "app.leave", "Back"),
]


class ModelsScreen(FleetScreenBase):
    """A list as long as there are models."""

    BINDINGS = [*LIST_KEYS, Binding("enter", "open", "Open the deployment: its replicas")]
    TAB = "Models"
    KEYS = (("?", "help"), ("⏎", "replicas"), ("space", "pause"), ("←→", "time"), ("t", "theme"), ("q", "quit"))
    _plan: ListPlan | None = None

    def body(self) -> ComposeResult:
        look = self.fleet.look
        yield ModelHeading(look)
        yield ModelRows(look)
        yield ModelClosing(look)

    def lay_out(self, frame: FleetFrame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        lines = len(frame.snapshot.models) if frame.snapshot else 0
        new = list_plan(height, lines, self.bottom_rows, with_tiles=False)
        if new != self._plan:
            self._plan = new
            set_rows(self.query_one(ModelHeading), 2, new.gap)
            set_rows(self.query_one(ModelRows), new.rows)
            set_rows(self.query_one(ModelClosing), 2)

    def action_cursor(self, by: int) -> None:
        self.query_one(ModelRows).move_cursor(by)

    def action_open(self) -> None:
        from tokwatch.dashboard.fleet.screens.replicas import ReplicasScreen

        model = self.query_one(ModelRows).model
        if model is not None:
            self.app.push_screen(ReplicasScreen(model.model))
