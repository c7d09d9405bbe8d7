"""Servers: every inference server under its deployment, and the one under the cursor in detail where there is room."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal

from tokwatch.dashboard.charts.chart import ChartView
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import ROOMY_FROM
from tokwatch.dashboard.screens.server_detail import PANEL, ServerDetailScreen
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.server_charts import CHARTS
from tokwatch.dashboard.widgets.server_facts import ServerFacts
from tokwatch.dashboard.widgets.server_latency import ServerLatency
from tokwatch.dashboard.widgets.server_list import ServerClosing, ServerHeading, ServerRows
from tokwatch.ledger.snapshot import ServerRow

_WIDE = 100  # from here on there is room for more than the latencies
_CHROME = 4  # heading, rule, rule, closing row
_DETAIL_LEAST, _DETAIL_MOST = 8, 14  # rows
_CHARTS_LEAST, _CHARTS_MOST = 6, 24
_TALL = 28  # rows of the body from which the list leaves room for the detail


@dataclass(frozen=True, slots=True)
class ServersPlan:
    """Rows of each part; 0 leaves it out. A blank row stands above each but the list."""

    rows: int
    detail: int
    charts: int


def servers_plan(room: int, rows: int) -> ServersPlan:
    """What fits into `room` rows below the header: the list first, then the detail, then the charts."""
    for_rows = max(1, room - _CHROME)
    kept = min(rows, for_rows - _DETAIL_MOST - 1) if room >= _TALL else min(rows, for_rows)
    left = for_rows - kept
    detail = min(_DETAIL_MOST, left - 1) if left > _DETAIL_LEAST else 0
    left -= detail + 1 if detail else 0
    charts = min(_CHARTS_MOST, left - 1) if detail and left > _CHARTS_LEAST else 0
    left -= charts + 1 if charts else 0
    return ServersPlan(kept + min(left, rows - kept), detail, charts)


class ServersScreen(ServerDetailScreen):
    """The list is in the order of the deployments."""

    BINDINGS = [
        Binding("down,j", "cursor(1)", "Next server", id="servers.next"),
        Binding("up,k", "cursor(-1)", "Previous server", id="servers.previous"),
        Binding("pagedown", "cursor(10)", "Ten servers down", id="servers.down"),
        Binding("pageup", "cursor(-10)", "Ten servers up", id="servers.up"),
        Binding("enter", "open", "Open the server", id="servers.open"),
        Binding("escape", "app.leave", "Back", id="servers.back"),
    ]
    TAB = "Servers"
    KEYS = (("⏎", "open"), ("←→", "time"), ("i", "source"), ("e", "export"), ("space", "pause"), ("?", "help"))
    PAST_KEYS = (("⏎", "open"), ("space", "play"), ("n", "mark"), ("←→", "step"), ("i", "source"), ("?", "help"))
    DEFAULT_CSS = """
    ServersScreen #detail, ServersScreen #charts { margin: 1 0 0 0; }
    ServersScreen #charts ChartView { width: 1fr; height: 1fr; margin: 0 1 0 3; }
    ServersScreen #charts ChartView:first-of-type { margin: 0 1; }
    ServersScreen #detail > Canvas { height: 1fr; }
    """
    _planned: tuple[ServersPlan, bool, int] | None = None

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        yield ServerHeading(look)
        yield ServerRows(look)
        yield ServerClosing(look)
        with Horizontal(id="detail"):
            yield ServerLatency(look)
            yield ServerFacts(look)
        with Horizontal(id="charts"):
            for _ in CHARTS:
                yield ChartView(look)

    def server_shown(self) -> ServerRow | None:
        return self.query_one(ServerRows).server

    def action_cursor(self, by: int) -> None:
        self.query_one(ServerRows).move_cursor(by)

    def action_open(self) -> None:
        from tokwatch.dashboard.screens.server import ServerScreen

        server = self.server_shown()
        if server is not None:
            self.app.push_screen(ServerScreen(server.entity))

    def on_cursor_rows_moved(self, _: CursorRows.Moved) -> None:
        self.show_server()

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        list_ = self.query_one(ServerRows)
        above = 1 if height >= ROOMY_FROM else 0
        room = height - 1 - above - self.bottom_rows
        plan, wide = servers_plan(room, list_.rows_of(frame)), width >= _WIDE
        if (plan, wide, above) == self._planned:
            return
        self._planned = plan, wide, above
        self.query_one(ServerHeading).styles.height = 2
        self.query_one(ServerHeading).styles.margin = (above, 0, 0, 0)
        self.query_one(ServerClosing).styles.height = 2
        list_.styles.height = plan.rows
        for name, rows in (("#detail", plan.detail), ("#charts", plan.charts if wide else 0)):
            part = self.query_one(name)
            part.display = rows > 0
            part.styles.height = rows
        self.query_one(ServerLatency).styles.width = PANEL if wide else "1fr"
        self.query_one(ServerFacts).display = wide
