"""Hosts, the home screen of the fleet: headline tiles and every host, or groups of them."""

from __future__ import annotations

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard.arrange.language import EVERYTHING, Filter
from tokwatch.dashboard.fleet.base import FleetScreenBase, set_rows
from tokwatch.dashboard.fleet.choices import remembered_view, to_remember
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.host_columns import HOST_CHOICE, HOST_USUAL, host_columns
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS, HOSTS
from tokwatch.dashboard.fleet.layout import ListPlan, list_plan
from tokwatch.dashboard.fleet.listing import Group, HostListing, HostView, Item, sortable
from tokwatch.dashboard.fleet.table import host_table
from tokwatch.dashboard.fleet.widgets.host_list import HostClosing, HostHeading, HostRows
from tokwatch.dashboard.fleet.widgets.tiles import FLEET_TILES
from tokwatch.dashboard.widgets.tiles import Tiles
from tokwatch.ledger.fleet.groups import GROUPINGS

_FILTER_HINT = "llama  idle  state:down,stale  site:oslo  idle$>5  power>4kw  age>30s  -not"


class HostsScreen(FleetScreenBase):
    """The list takes what the tiles leave."""

    BINDINGS = [
        Binding("down,j", "cursor(1)", "Next host"),
        Binding("up,k", "cursor(-1)", "Previous host"),
        Binding("pagedown", "page(1)", "A page down"),
        Binding("pageup", "page(-1)", "A page up"),
        Binding("less_than_sign,ctrl+home", "edge(False)", "First host"),
        Binding("greater_than_sign,ctrl+end", "edge(True)", "Last host"),
        Binding("enter", "open", "Open the host; open or close its group"),
        Binding("o", "door", "Into the host: its own dashboard"),
        Binding("slash", "filter", "Find: show some hosts only"),
        Binding("escape", "show_all", "Show all hosts again"),
        Binding("s", "sort", "Sort by a column; the same again turns it round"),
        Binding("G", "group", "Group by region, cluster, site, model or state"),
        Binding("C", "columns", "Choose the columns"),
    ]
    TAB, TABLE_ENDING = "Hosts", "tsv"
    KEYS = (
        ("?", "help"),
        ("⏎", "open"),
        ("/", "filter"),
        ("s", "sort"),
        ("G", "group"),
        ("o", "into it"),
        ("space", "pause"),
        ("←→", "time"),
        ("t", "theme"),
        ("q", "quit"),
    )
    _plan: ListPlan | None = None
    _width = 0

    def __init__(self) -> None:
        super().__init__()
        self.listing = HostListing()

    def body(self) -> ComposeResult:
        look = self.fleet.look
        self.listing.view = remembered_view(self.fleet.memory.recall())
        yield Tiles(look, FLEET_TILES)
        yield HostHeading(look, self.listing)
        yield HostRows(look, self.listing)
        yield HostClosing(look, self.listing)

    @property
    def hosts(self) -> HostRows:
        """The rows of the list."""
        return self.query_one(HostRows)

    def lay_out(self, frame: FleetFrame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        lines = len(self.listing.of(frame.snapshot).items) if frame.snapshot else 0
        if width != self._width:
            self._width = width
            self.query_one(Tiles).share_out(width)
        new = list_plan(height, lines, self.bottom_rows, with_tiles=True)
        if new == self._plan:
            return
        self._plan = new
        set_rows(self.query_one(Tiles), new.tiles)
        set_rows(self.query_one(HostHeading), 2, new.gap)
        set_rows(self.hosts, new.rows)
        set_rows(self.query_one(HostClosing), 2)

    # The cursor

    def action_cursor(self, by: int) -> None:
        self.hosts.move_cursor(by)

    def action_page(self, by: int) -> None:
        self.hosts.move_cursor(by * max(1, self.hosts.size.height - 1))

    def action_edge(self, last: bool) -> None:
        self.hosts.to_edge(last=last)

    def action_open(self) -> None:
        from tokwatch.dashboard.fleet.screens.host import HostScreen

        item = self.hosts.item
        if isinstance(item, Group):
            self.view_as(self.listing.view.toggling(item.row.name))
        elif item is not None:
            self.app.push_screen(HostScreen(item.key))

    def action_door(self) -> None:
        item = self.hosts.item
        if item is not None and not isinstance(item, Group):
            self.fleet.look_into(item.key)

    def on_host_rows_opened(self) -> None:
        self.action_open()

    # Finding and arranging

    def view_as(self, view: HostView) -> None:
        """Shows the list in another view."""
        self.listing.view = view
        self.show(self.fleet.frame)

    def keep(self, view: HostView) -> None:
        """The same, also in the next run."""
        self.view_as(view)
        self.fleet.remember(**to_remember(view))

    def show_group(self, by: str, name: str) -> None:
        """Groups the list, and shows the hosts of one group with the cursor on it."""
        self.view_as(replace(self.listing.view, filter=EVERYTHING, group=by, opened=frozenset({name})))
        at = next((at for at, item in enumerate(self.hosts.items()) if _is_group(item, name)), 0)
        self.hosts.put_cursor(at)

    def action_filter(self) -> None:
        from tokwatch.dashboard.screens.filter_line import FilterLine

        def take(found: Filter) -> int:
            self.view_as(replace(self.listing.view, filter=found))
            snapshot = self.fleet.frame.snapshot
            return len(self.listing.of(snapshot).hosts) if snapshot else 0

        now = self.listing.view.filter.text
        self.app.push_screen(FilterLine(now, take, language=HOSTS, hint=_FILTER_HINT, note="hosts"))

    def action_show_all(self) -> None:
        if self.listing.view.filter:
            self.view_as(replace(self.listing.view, filter=EVERYTHING))

    def action_sort(self) -> None:
        from tokwatch.dashboard.screens.chooser import Chooser, Option

        view = self.listing.view
        options = [
            Option(field.letter, field.key, field.heading, field.key == view.sort.key) for field in sortable(view)
        ]
        hint = "the same again turns it round; what is not known comes last"
        self.app.push_screen(Chooser("SORT BY", options, hint), self.sort_by)

    def sort_by(self, key: str | None) -> None:
        """By a field, the cursor on what comes first; None leaves all as it is."""
        if key is not None:
            self.keep(replace(self.listing.view, sort=self.listing.view.sort.chosen(key)))
            self.hosts.to_edge(last=False)

    def on_host_heading_chosen(self, message: HostHeading.Chosen) -> None:
        self.sort_by(message.key)

    def action_group(self) -> None:
        from tokwatch.dashboard.screens.chooser import Chooser, Option

        def take(group: str | None) -> None:
            if group is not None:
                self.keep(replace(self.listing.view, group=group, opened=frozenset()))
                self.hosts.to_edge(last=False)

        now = self.listing.view.group
        letters = {"": "n", "site": "i", "state": "s"}
        options = [Option(letters.get(by, by[:1]), by, by or "none", by == now) for by in ("", *GROUPINGS)]
        self.app.push_screen(Chooser("GROUP BY", options, "enter on a group shows its hosts"), take)

    def action_columns(self) -> None:
        from tokwatch.dashboard.screens.columns import Choosable, ColumnChooser

        def take(columns: tuple[str, ...]) -> None:
            self.keep(replace(self.listing.view, columns=columns))

        of = Choosable(HOST_FIELDS, HOST_CHOICE, HOST_USUAL, host_columns)
        self.app.push_screen(ColumnChooser(self.listing.view.columns, take, of))

    def table(self) -> str:
        """The list as TSV, for the clipboard."""
        snapshot = self.fleet.frame.snapshot
        return host_table(snapshot, self.listing) if snapshot else ""


def _is_group(item: Item, name: str) -> bool:
    return isinstance(item, Group) and item.row.name == name
