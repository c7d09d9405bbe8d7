"""GPU: one device over time, what it is doing and why, and what that costs. Opened from Fleet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.screens.base import Answer, FrameScreen
from tokwatch.dashboard.time_grid import SPANS_MS, time_grid
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_brief import GpuBrief, GpuFigures, brief_rows
from tokwatch.dashboard.widgets.gpu_charts import GpuCharts
from tokwatch.dashboard.widgets.gpu_device import GpuDevice, ailment_rows
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas, row_of
from tokwatch.dashboard.widgets.gpu_servers import GpuServers
from tokwatch.dashboard.widgets.gpu_state_tile import GpuStateTile, tile_rows
from tokwatch.dashboard.widgets.gpu_throttling import GpuThrottling
from tokwatch.dashboard.widgets.gpu_title import GpuTitle
from tokwatch.dashboard.widgets.time_bar import BAR_ROWS, TimeBar
from tokwatch.feeds.questions.gpu_past import GpuPast
from tokwatch.feeds.questions.gpu_reasons import GpuReasons
from tokwatch.feeds.questions.gpu_since import GpuSince

if TYPE_CHECKING:
    from tokwatch.feeds.question import Question

# Those of the first row, ↑↓ and + -, stand there.
KEYS: Final = (
    ("esc", "back"),
    ("?", "help"),
    ("b", "begin"),
    ("←→", "time"),
    ("i", "source"),
    ("e", "export"),
    ("space", "pause"),
)
PAST_KEYS: Final = (
    ("esc", "back"),
    ("?", "help"),
    ("b", "begin"),
    ("space", "play"),
    ("←→", "step"),
    ("n", "mark"),
    ("i", "source"),
    ("e", "export"),
)
_WIDE_FROM: Final = 100  # columns
_TIME_BAR_FROM: Final = 36  # rows
_SIDE: Final = 34  # columns of the right part
_SIDE_MOST: Final = 52
_MINUTE_MS: Final = 60_000
_USUAL_SPAN: Final = 1  # an hour


class GpuScreen(FrameScreen):
    """Charts at the left and figures at the right; on a narrow terminal in one column."""

    BINDINGS = [
        Binding("escape", "app.leave", "Back", id="gpu.leave"),
        Binding("down,j", "other(1)", "The next GPU", id="gpu.next"),
        Binding("up,k", "other(-1)", "The GPU before", id="gpu.before"),
        Binding("plus,equals_sign", "zoom(-1)", "Charts of a shorter time", id="gpu.shorter"),
        Binding("minus,underscore", "zoom(1)", "Charts of a longer time", id="gpu.longer"),
        Binding("b", "begin", "Back to when this state began; once more: to what was before", id="gpu.begin"),
    ]
    TAB, KEYS, PAST_KEYS, DRILLED, OWN_TIME_FROM = "Fleet", KEYS, PAST_KEYS, True, _TIME_BAR_FROM
    DEFAULT_CSS = f"""
    GpuScreen #columns {{ height: 1fr; padding: 0 {MARGIN}; }}
    GpuScreen GpuCharts {{ width: 1fr; height: 100%; }}
    GpuScreen #side {{ width: {_SIDE}; height: 100%; margin: 0 0 0 4; }}
    """

    def __init__(self, entity: int) -> None:
        super().__init__()
        self._entity = entity
        self._span = _USUAL_SPAN
        self._asked: dict[str, object] = {}  # the last question of each group
        self._laid_out: tuple[int, ...] = ()

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        yield GpuTitle(look)
        yield GpuBrief(look)
        with Horizontal(id="columns"):
            yield GpuCharts(look)
            with Vertical(id="side"):
                yield GpuStateTile(look)
                yield GpuDevice(look)
                yield GpuThrottling(look)
                yield GpuServers(look)
        yield GpuFigures(look)
        yield TimeBar(look)

    def on_mount(self) -> None:
        super().on_mount()
        self._turn_to(self._entity)

    def show(self, frame: Frame) -> None:
        super().show(frame)
        self._ask_past()

    # Keys

    def action_other(self, by: int) -> None:
        snapshot = self.tokwatch.frame.snapshot
        entities = [row.entity for row in snapshot.gpus] if snapshot else []
        if self._entity in entities:
            place = entities.index(self._entity) + by
            if 0 <= place < len(entities):
                self._turn_to(entities[place])

    def action_zoom(self, by: int) -> None:
        self._span = max(0, min(len(SPANS_MS) - 1, self._span + by))
        self.query_one(GpuTitle).span_ms = SPANS_MS[self._span]
        self.show(self.tokwatch.frame)

    def action_begin(self) -> None:
        frame = self.tokwatch.frame
        row, snapshot = row_of(frame, self._entity), frame.snapshot
        if row is None or snapshot is None or not row.since_ms:
            return
        since_ms = row.since_ms

        def go(first_ms: int) -> None:
            self.tokwatch.go_to_moment(first_ms if snapshot.tick_ms > first_ms else since_ms - 1)

        self.ask(GpuSince(self._entity, since_ms), go, group="gpu since")

    # Parts

    def _turn_to(self, entity: int) -> None:
        """Another GPU: nothing of the one before stays on screen."""
        self._entity, self._asked = entity, {}
        for canvas in self.query(GpuCanvas):
            canvas.entity = entity
        self.query_one(GpuStateTile).entity = entity
        self.query_one(GpuTitle).span_ms = SPANS_MS[self._span]
        self.query_one(GpuCharts).take(None, None)
        self.query_one(GpuThrottling).take(None)
        self.query_one(TimeBar).take(None)
        self.show(self.tokwatch.frame)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        row = row_of(frame, self._entity)
        tile = tile_rows(row)
        side_width = max(_SIDE, min(_SIDE_MOST, width * 29 // 100))
        ails = 0 if row is None or frame.snapshot is None else len(ailment_rows(row, frame.snapshot, side_width))
        servers = 0 if row is None else len(row.servers)
        new = (width, height, frame.live, tile, ails, servers)
        if new == self._laid_out:
            return
        self._laid_out = new
        self.call_after_refresh(self._ask_past)  # then the charts know their cells
        wide = width >= _WIDE_FROM
        bar = BAR_ROWS if height >= _TIME_BAR_FROM and not frame.live else 0
        body = height - 2 - (0 if frame.live else 1 + (bar or 1))
        roomy = body >= 26
        _set_rows(self.query_one(GpuTitle), 1, above=1 if roomy else 0)
        _set_rows(self.query_one(GpuBrief), 0 if wide else brief_rows(row), above=1 if roomy else 0)
        _set_rows(self.query_one(GpuFigures), 0 if wide else 2 + min(2, ails), above=1 if roomy else 0)
        _set_rows(self.query_one(TimeBar), bar, above=0)
        columns, side = self.query_one("#columns"), self.query_one("#side")
        columns.styles.margin = (1, 0, 0, 0)
        side.display = wide
        if not wide:
            return
        side.styles.width = side_width
        room = body - 2 - (1 if roomy else 0)
        for part, rows in (
            (GpuStateTile, tile),
            (GpuDevice, 10 + ails),
            (GpuThrottling, 7),
            (GpuServers, 3 + 3 * max(1, servers)),
        ):
            above = 0 if part is GpuStateTile else 1
            rows = min(rows, room - above)
            _set_rows(self.query_one(part), rows if rows >= 4 else 0, above=above)
            room -= rows + above

    # The past

    def _ask_past(self) -> None:
        """Only when a bucket is complete, or another moment or span is looked at."""
        if self.was_left:
            return
        frame, snapshot = self.tokwatch.frame, self.tokwatch.frame.snapshot
        charts, throttling, bar = self.query_one(GpuCharts), self.query_one(GpuThrottling), self.query_one(TimeBar)
        if snapshot is None or frame.kept:  # nothing can be asked before the feed is open
            return
        if charts.cells > 0:
            grid = time_grid(SPANS_MS[self._span], charts.cells, snapshot.tick_ms)
            done = grid.complete(snapshot.tick_ms)
            past = GpuPast(self._entity, grid.from_ms + done * grid.step_ms, grid.step_ms, done)
            self._ask_once("charts", past, lambda history: charts.take(history, grid))
        if throttling.display and throttling.size:
            minute_ms = snapshot.tick_ms // _MINUTE_MS * _MINUTE_MS
            self._ask_once("reasons", GpuReasons(self._entity, minute_ms), throttling.take)
        if bar.display and (states := bar.question(frame)) is not None:
            self._ask_once("bar", states, bar.take)

    def _ask_once(self, group: str, question: Question[Answer], take: Callable[[Answer], None]) -> None:
        if self._asked.get(group) != question:
            self._asked[group] = question
            self.ask(question, take, group=f"gpu {group}")


def _set_rows(widget: Canvas, rows: int, *, above: int) -> None:
    widget.display = rows > 0
    widget.styles.height = rows
    widget.styles.margin = (above if rows else 0, 0, 0, 0)
