"""Replicas: one deployment host by host, so that it is seen who carries what."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard.fleet.base import FleetScreenBase, set_rows
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.layout import ListPlan, list_plan
from tokwatch.dashboard.fleet.screens.host import HostScreen
from tokwatch.dashboard.fleet.screens.models import LIST_KEYS
from tokwatch.dashboard.fleet.widgets.replica_list import ReplicaHeading, ReplicaRows, ReplicaSummary
from tokwatch.ledger.fleet.tally import HostKey


class ReplicasScreen(FleetScreenBase):
    """Over Models."""

    BINDINGS = [
        *LIST_KEYS,
        Binding("enter", "open", "Open the host"),
        Binding("o", "door", "Into the host: its own dashboard"),
    ]
    TAB, DRILLED = "Models", True
    KEYS = (("?", "help"), ("⏎", "host"), ("o", "into it"), ("esc", "back"), ("space", "pause"), ("←→", "time"))
    _plan: ListPlan | None = None

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model

    def body(self) -> ComposeResult:
        look = self.fleet.look
        yield ReplicaSummary(look, self.model)
        yield ReplicaHeading(look)
        yield ReplicaRows(look, self.model)

    def lay_out(self, frame: FleetFrame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        rows = self.query_one(ReplicaRows)
        new = list_plan(height - 2, rows.rows_of(frame), self.bottom_rows, with_tiles=False)
        if new != self._plan:
            self._plan = new
            set_rows(self.query_one(ReplicaSummary), 3, new.gap)
            set_rows(self.query_one(ReplicaHeading), 2)
            set_rows(rows, new.rows + 1)

    @property
    def host(self) -> HostKey | None:
        """The host under the cursor."""
        replica = self.query_one(ReplicaRows).replica
        return None if replica is None else replica.key

    def action_cursor(self, by: int) -> None:
        self.query_one(ReplicaRows).move_cursor(by)

    def action_open(self) -> None:
        if self.host is not None:
            self.app.push_screen(HostScreen(self.host))

    def action_door(self) -> None:
        if self.host is not None:
            self.fleet.look_into(self.host)
