"""Sites: power against the cap, tariff, PUE and carbon of each; or other groups of hosts."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard.fleet.base import FleetScreenBase, set_rows
from tokwatch.dashboard.fleet.choices import remembered_grouping
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.layout import ListPlan, list_plan
from tokwatch.dashboard.fleet.screens.models import LIST_KEYS
from tokwatch.dashboard.fleet.widgets.group_list import GroupClosing, GroupHeading, GroupListing, GroupRows
from tokwatch.ledger.fleet.groups import GROUPINGS


class SitesScreen(FleetScreenBase):
    """Grouped by site; G groups otherwise."""

    BINDINGS = [
        *LIST_KEYS,
        Binding("enter", "open", "Show its hosts"),
        Binding("G", "group", "Group by region, cluster, site, model or state"),
    ]
    TAB = "Sites"
    KEYS = (("?", "help"), ("⏎", "hosts"), ("G", "group"), ("space", "pause"), ("←→", "time"), ("q", "quit"))
    _plan: ListPlan | None = None

    def __init__(self) -> None:
        super().__init__()
        self.listing = GroupListing()

    def body(self) -> ComposeResult:
        look = self.fleet.look
        self.listing.by = remembered_grouping(self.fleet.memory.recall())
        yield GroupHeading(look, self.listing)
        yield GroupRows(look, self.listing)
        yield GroupClosing(look)

    def lay_out(self, frame: FleetFrame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        lines = len(self.listing.of(frame.snapshot)) if frame.snapshot else 0
        new = list_plan(height, lines, self.bottom_rows, with_tiles=False)
        if new != self._plan:
            self._plan = new
            set_rows(self.query_one(GroupHeading), 2, new.gap)
            set_rows(self.query_one(GroupRows), new.rows)
            set_rows(self.query_one(GroupClosing), 2)

    def action_cursor(self, by: int) -> None:
        self.query_one(GroupRows).move_cursor(by)

    def action_group(self) -> None:
        from tokwatch.dashboard.screens.chooser import Chooser, Option

        def take(by: str | None) -> None:
            if by is not None:
                self.listing.by = by
                self.fleet.remember(sites=by)
                self.show(self.fleet.frame)

        letters = {"site": "i"}
        options = [Option(letters.get(by, by[:1]), by, by, by == self.listing.by) for by in GROUPINGS]
        self.app.push_screen(Chooser("GROUP BY", options, "enter on a group shows its hosts"), take)

    def action_open(self) -> None:
        group = self.query_one(GroupRows).group
        if group is not None:
            self.fleet.show_hosts().show_group(group.by, group.name)
