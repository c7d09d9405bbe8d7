"""Server: one inference server in all its detail, with the charts of its last hour."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from tokwatch.dashboard.charts.chart import ChartView
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import ROOMY_FROM
from tokwatch.dashboard.screens.server_detail import PANEL, ServerDetailScreen
from tokwatch.dashboard.widgets.server_charts import CHARTS
from tokwatch.dashboard.widgets.server_facts import ServerFacts
from tokwatch.dashboard.widgets.server_latency import ServerLatency
from tokwatch.dashboard.widgets.server_title import ServerTitle
from tokwatch.ledger.snapshot import ServerRow


class ServerScreen(ServerDetailScreen):
    """Which server it is; below charts at the left, figures and facts at the right."""

    BINDINGS = [
        Binding("down,j", "scroll(1)", "Facts: down", id="server.down"),
        Binding("up,k", "scroll(-1)", "Facts: up", id="server.up"),
        Binding("escape", "app.leave", "Back to all servers", id="server.back"),
    ]
    TAB, DRILLED = "Servers", True
    KEYS = (("esc", "back"), ("←→", "time"), ("i", "source"), ("e", "export"), ("space", "pause"), ("?", "help"))
    PAST_KEYS = (("esc", "back"), ("space", "play"), ("n", "mark"), ("←→", "step"), ("i", "source"), ("?", "help"))
    DEFAULT_CSS = f"""
    ServerScreen ServerTitle {{ height: 1; }}
    ServerScreen #server {{ height: 1fr; margin: 1 0 0 0; }}
    ServerScreen #charts {{ width: 1fr; }}
    ServerScreen #charts ChartView {{ height: 1fr; margin: 0 2 1 1; }}
    ServerScreen #figures {{ width: {PANEL}; }}
    ServerScreen ServerFacts {{ height: 1fr; }}
    """
    _times_below = False
    _latency_rows: int | None = None
    _above: int | None = None

    def __init__(self, entity: int) -> None:
        """`entity`: of a server."""
        super().__init__()
        self._entity = entity

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        yield ServerTitle(look)
        with Horizontal(id="server"):
            with Vertical(id="charts"):
                for _ in CHARTS:
                    yield ChartView(look)
            with Vertical(id="figures"):
                yield ServerLatency(look)
                yield ServerFacts(look, "FACTS")

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        above = 1 if height >= ROOMY_FROM else 0
        if above != self._above:
            self._above = above
            self.query_one(ServerTitle).styles.margin = (above, 0, 0, 0)

    def server_shown(self) -> ServerRow | None:
        snapshot = self.tokwatch.frame.snapshot
        rows = snapshot.servers if snapshot else ()
        return next((row for row in rows if row.entity == self._entity), None)

    def show_server(self) -> None:
        super().show_server()
        title = self.query_one(ServerTitle)
        title.server = self.server_shown()
        title.redraw()
        latency = self.query_one(ServerLatency)
        rows = latency.needed_rows(PANEL)
        if rows != self._latency_rows:
            self._latency_rows = rows
            latency.styles.height = rows + 1  # and a blank one

    def action_scroll(self, by: int) -> None:
        facts = self.query_one(ServerFacts)
        facts.scroll_to(y=facts.scroll_offset.y + by, animate=False)
