"""Server detail: what the screens of one server and of all of them share; asks the past for the charts' hour."""

from __future__ import annotations

from tokwatch.dashboard import formats
from tokwatch.dashboard.charts.chart import ChartView
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.server_charts import CHARTS
from tokwatch.dashboard.widgets.server_facts import ServerFacts
from tokwatch.dashboard.widgets.server_latency import ServerLatency
from tokwatch.feeds.questions.server_past import ServerPast, last_edge
from tokwatch.ledger.server_trail import ServerTrail
from tokwatch.ledger.snapshot import ServerRow

PANEL = 50  # cells of the latencies


class ServerDetailScreen(FrameScreen):
    """Subclasses yield a ServerLatency, a ServerFacts and one ChartView for each of CHARTS, and say which server."""

    _question: ServerPast | None = None
    _trail: ServerTrail | None = None
    _times_below = True  # each chart has its times; else the last one alone

    def server_shown(self) -> ServerRow | None:
        """As the frame on screen has it."""
        raise NotImplementedError

    def show(self, frame: Frame) -> None:
        super().show(frame)
        self.show_server()

    def show_server(self) -> None:
        """Draws the server, and asks for its last hour where another one than is known."""
        frame, server = self.tokwatch.frame, self.server_shown()
        if server is not None and frame.snapshot is not None and not frame.kept:  # else nobody can be asked yet
            question = ServerPast(server.entity, last_edge(frame.snapshot.tick_ms))
            if question != self._question:
                if self._question is None or self._question.server != question.server:
                    self._trail = None
                self._question = question
                self.ask(question, self._take_trail, group="server")
        for latency in self.query(ServerLatency):
            latency.server = server
            latency.redraw()
        for facts in self.query(ServerFacts):
            facts.server, facts.trail = server, self._trail
            facts.redraw()
        self._show_charts(server)

    def _take_trail(self, trail: ServerTrail) -> None:
        self._trail = trail
        self.show_server()

    def _show_charts(self, server: ServerRow | None) -> None:
        snapshot, trail = self.tokwatch.frame.snapshot, self._trail
        views = list(self.query(ChartView))
        for number, (view, chart_of) in enumerate(zip(views, CHARTS, strict=False)):
            chart = None
            if server is not None and snapshot is not None and trail is not None:
                times = self._times_below or number == len(views) - 1
                offset = snapshot.utc_offset_s
                end = "now" if snapshot.mode == "live" else formats.hour_minute(snapshot.tick_ms, offset)
                chart = chart_of(server, trail, offset, times=times, end=end)
            if chart != view.chart:
                view.take(chart)
