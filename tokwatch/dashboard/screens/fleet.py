"""Fleet, the home screen: headline tiles, the GPU list, three hours of states, alerts."""

from __future__ import annotations

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widget import Widget

from tokwatch.dashboard.arrange.choices import remembered_view, to_remember
from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.filter import EVERYTHING, Filter
from tokwatch.dashboard.arrange.table import in_currency, table
from tokwatch.dashboard.arrange.view import GROUPINGS, Group, Listing, View, folding
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import ALWAYS, Plan, plan
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.alert_list import AlertList, alert_count
from tokwatch.dashboard.widgets.gpu_list import GpuClosing, GpuHeading, GpuRows
from tokwatch.dashboard.widgets.state_strip import StateStrip
from tokwatch.dashboard.widgets.tiles import Tiles

KEYS = (
    ("?", "help"),
    ("⏎", "open"),
    ("/", "filter"),
    ("s", "sort"),
    ("space", "pause"),
    ("←→", "time"),
    ("i", "source"),
    ("e", "export"),
    ("$", "price"),
    ("t", "theme"),
    ("q", "quit"),
)
PAST_KEYS = (
    ("?", "help"),
    ("space", "play"),
    ("n", "mark"),
    ("←→", "step"),
    ("⏎", "open"),
    ("g", "go to"),
    ("[ ]", "speed"),
    ("c", "compare"),
    ("i", "source"),
    ("e", "export"),
    ("$", "what if"),
)


class FleetScreen(FrameScreen):
    """Sections come and go with the size of the terminal, as layout.plan says."""

    BINDINGS = [
        Binding("down,j", "cursor(1)", "Next GPU", id="fleet.down"),
        Binding("up,k", "cursor(-1)", "Previous GPU", id="fleet.up"),
        Binding("pagedown", "cursor(10)", "Ten GPUs down", id="fleet.page-down"),
        Binding("pageup", "cursor(-10)", "Ten GPUs up", id="fleet.page-up"),
        Binding("less_than_sign,ctrl+home", "first", "First GPU", id="fleet.first"),
        Binding("greater_than_sign,ctrl+end", "last", "Last GPU", id="fleet.last"),
        Binding("enter", "open", "Open the GPU; fold or unfold its group", id="fleet.open"),
        Binding("b", "begin", "Back to when the GPU's state began", id="fleet.begin"),
        Binding("slash", "filter", "Find: show some GPUs only", id="fleet.filter"),
        Binding("escape", "show_all", "Show all GPUs again", id="fleet.all"),
        Binding("s", "sort", "Sort by a column; the same again turns it round", id="fleet.sort"),
        Binding("G", "group", "Group by host, deployment or state", id="fleet.group"),
        Binding("C", "columns", "Choose the columns", id="fleet.columns"),
    ]
    TAB, KEYS, PAST_KEYS = "Fleet", KEYS, PAST_KEYS
    _plan: Plan | None = None
    _width = 0

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing()

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        self.listing.view = remembered_view(self.tokwatch.memory.recall())
        yield Tiles(look)
        yield GpuHeading(look, self.listing)
        yield GpuRows(look, self.listing)
        yield GpuClosing(look, self.listing)
        yield StateStrip(look, self.listing)
        yield AlertList(look)

    @property
    def gpus(self) -> GpuRows:
        """The rows of the list."""
        return self.query_one(GpuRows)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        shown = self.listing.of(frame.snapshot) if frame.snapshot else None
        lines = len(shown.items) if shown else 0
        strips = lines if shown is None or shown.items is shown.gpus else len(shown.open_gpus)
        new = plan(height, lines, alert_count(frame.snapshot), replaying=not frame.live, strips=strips)
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

    # The cursor

    def action_cursor(self, by: int) -> None:
        self.gpus.move_cursor(by)

    def action_first(self) -> None:
        self.gpus.put_cursor(0)

    def action_last(self) -> None:
        self.gpus.put_cursor(self.gpus.rows() - 1)

    def action_open(self) -> None:
        item = self.gpus.item()
        if isinstance(item, Group):
            self.view_as(folding(self.listing.view, item.name))
        elif item is not None:
            from tokwatch.dashboard.screens.gpu import GpuScreen  # not part of the first frame

            self.app.push_screen(GpuScreen(item.entity))

    def action_begin(self) -> None:
        item = self.gpus.item()
        if item is not None and not isinstance(item, Group):
            self.tokwatch.go_to_moment(item.since_ms)

    def on_gpu_rows_opened(self) -> None:
        self.action_open()

    # Finding and arranging

    def view_as(self, view: View) -> None:
        """Shows the list in another view."""
        self.listing.view = view
        self.show(self.tokwatch.frame)

    def keep(self, view: View) -> None:
        """The same, also in the next run."""
        self.view_as(view)
        self.tokwatch.remember(**to_remember(view))

    def action_filter(self) -> None:
        from tokwatch.dashboard.screens.filter_line import FilterLine

        def take(found: Filter) -> int:
            self.view_as(replace(self.listing.view, filter=found))
            snapshot = self.tokwatch.frame.snapshot
            return len(self.listing.of(snapshot).gpus) if snapshot else 0

        self.app.push_screen(FilterLine(self.listing.view.filter.text, take))

    def action_show_all(self) -> None:
        if self.listing.view.filter:
            self.view_as(replace(self.listing.view, filter=EVERYTHING))
        else:
            self.tokwatch.action_leave()

    def action_sort(self) -> None:
        from tokwatch.dashboard.screens.chooser import Chooser, Option

        snapshot, view = self.tokwatch.frame.snapshot, self.listing.view
        options = [
            Option(field.letter, key, in_currency(field.heading, snapshot), key == view.sort.key)
            for key in (*ALWAYS, "for", *view.columns)
            if (field := FIELDS[key]).letter
        ]
        hint = "the same again turns it round; what is not known comes last"
        self.app.push_screen(Chooser("SORT BY", options, hint), self.sort_by)

    def sort_by(self, key: str | None) -> None:
        """By a field, the cursor on what comes first; None leaves all as it is."""
        if key is not None:
            self.keep(replace(self.listing.view, sort=self.listing.view.sort.chosen(key)))
            self.gpus.to_first_gpu()

    def on_gpu_heading_chosen(self, message: GpuHeading.Chosen) -> None:
        self.sort_by(message.key)

    def action_group(self) -> None:
        from tokwatch.dashboard.screens.chooser import Chooser, Option

        def take(group: str | None) -> None:
            if group is not None:
                self.keep(replace(self.listing.view, group=group, folded=frozenset()))

        options = [Option(key[:1] or "n", key, key or "none", key == self.listing.view.group) for key in GROUPINGS]
        hint = "enter on a group of the list puts its GPUs away"
        self.app.push_screen(Chooser("GROUP BY", options, hint), take)

    def action_columns(self) -> None:
        from tokwatch.dashboard.screens.columns import ColumnChooser

        def take(columns: tuple[str, ...]) -> None:
            self.keep(replace(self.listing.view, columns=columns))

        self.app.push_screen(ColumnChooser(self.listing.view.columns, take))

    def table(self) -> str:
        """The list as TSV, for the clipboard."""
        snapshot = self.tokwatch.frame.snapshot
        return table(snapshot, self.listing) if snapshot else ""


def _set_rows(widget: Widget, rows: int, gap: int) -> None:
    widget.display = rows > 0
    widget.styles.height = rows
    widget.styles.margin = (gap, 0, 0, 0)
