"""Frontier: throughput against interactivity of one deployment, the box of what is good enough, the best point seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from tokwatch.dashboard import formats
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import TIME_STRIP_FROM
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets import frontier_best, frontier_marks, frontier_now, frontier_time
from tokwatch.dashboard.widgets.frontier_best import FrontierBest
from tokwatch.dashboard.widgets.frontier_chart import FrontierChart
from tokwatch.dashboard.widgets.frontier_deployments import FrontierDeployments
from tokwatch.dashboard.widgets.frontier_marks import FrontierMarks
from tokwatch.dashboard.widgets.frontier_now import FrontierNow
from tokwatch.dashboard.widgets.frontier_part import FrontierPart
from tokwatch.dashboard.widgets.frontier_summary import FrontierSummary
from tokwatch.dashboard.widgets.frontier_time import FrontierTime
from tokwatch.dashboard.widgets.frontier_view import (
    AXES,
    SPANS_MS,
    FrontierView,
    box_words,
    deployment_names,
    read_box,
)
from tokwatch.feeds.questions.operating_points import OperatingPoints

if TYPE_CHECKING:
    from tokwatch.ledger.capacity.frontier import Box
    from tokwatch.ledger.capacity.looking_back import OperatingPast
    from tokwatch.ledger.snapshot import Snapshot

_COLUMN_FROM = 104  # columns of the terminal; below, the right column goes
_COLUMN_WIDTH = 37
_MINUTE_MS = 60_000
_SLOWEST_MS = 10 * _MINUTE_MS  # between two questions
_POINTS_A_SPAN = 1_500  # a longer span is asked for again when it has moved by its share: a week takes half a second


class _Wanted(NamedTuple):
    """What the past is to be asked: equal ones have the same answer to the eye."""

    entity: int
    span_ms: int
    box: Box | None
    what_if: float | None
    period: int  # number of the minute, or of ten where the span is long
    newest_ms: int | None  # the end of the last window


class FrontierScreen(FrameScreen):
    """The plane at the left, figures at the right. The box set here is for looking only."""

    BINDINGS = [
        Binding("tab", "deployment(1)", "The next deployment", id="frontier.next"),
        Binding("shift+tab", "deployment(-1)", "The deployment before", id="frontier.before"),
        Binding("x", "axes", "Other axes: output or all tokens, per GPU or per megawatt", id="frontier.axes"),
        Binding("b", "box", "Set the box on screen: fast enough and cheap enough", id="frontier.box"),
        Binding("r", "references", "Show or hide your own benchmarks", id="frontier.references"),
        Binding("plus,equals_sign", "span(1)", "A longer span: 1 h, 6 h, 24 h, 7 d", id="frontier.longer"),
        Binding("minus", "span(-1)", "A shorter span", id="frontier.shorter"),
        Binding("escape", "app.leave", "Back", id="frontier.leave"),
    ]
    TAB = "Frontier"
    KEYS = (
        ("tab", "next"),
        ("x", "axes"),
        ("b", "box"),
        ("?", "help"),
        ("+ −", "span"),
        ("r", "reference"),
        ("←→", "time"),
    )
    DEFAULT_CSS = f"""
    FrontierScreen > #plane {{ height: 1fr; margin: 1 0 0 0; }}
    FrontierScreen #column {{ margin: 0 0 0 2; }}
    FrontierScreen #column {{ width: {_COLUMN_WIDTH}; padding: 0 1 0 0; }}
    FrontierScreen #column > Canvas {{ margin: 0 0 1 0; }}
    """

    def __init__(self) -> None:
        super().__init__()
        self._entity: int | None = None  # None: the first that is at work
        self._axis = AXES[0]
        self._span_ms = SPANS_MS[1]
        self._box: Box | None = None  # instead of the configured one
        self._references = True
        self._past: OperatingPast | None = None
        self._asked: _Wanted | None = None
        self._asked_at_ms = 0
        self._waiting = False
        self._layout: tuple[int, int, bool, bool] | None = None

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        with Horizontal(id="plane"):
            with Vertical():
                yield FrontierDeployments(look)
                yield FrontierChart(look)
            with Vertical(id="column"):
                yield FrontierNow(look)
                yield FrontierBest(look)
                yield FrontierTime(look)
                yield FrontierMarks(look)
        yield FrontierSummary(look)

    # Frames

    def show(self, frame: Frame) -> None:
        view = self._view(frame)
        for canvas in self.canvases:
            if isinstance(canvas, FrontierPart):
                canvas.view = view
        super().show(frame)
        if view is not None and frame.snapshot is not None and not frame.kept:
            self._ask_for(view, frame, frame.snapshot)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        seen = frame.snapshot is not None and bool(frame.snapshot.capacity)
        if (width, height, frame.live, seen) == self._layout:
            return
        self._layout = (width, height, frame.live, seen)
        beside = width >= _COLUMN_FROM and seen
        tall = height >= TIME_STRIP_FROM + 6
        self.query_one("#column").display = beside
        self.query_one("#plane").styles.margin = (1 if tall else 0, 0, 0, 0)
        summary = self.query_one(FrontierSummary)
        summary.styles.height = 1 if beside else 2
        summary.styles.margin = (1, 0, 1, 0) if tall else (0, 0, 0, 0)
        below = 1 + (0 if frame.live else 2) + (3 if tall else 2)
        rows = sections(height - 1 - tall - below)
        for part, high in zip((FrontierNow, FrontierBest, FrontierTime, FrontierMarks), rows, strict=True):
            self.query_one(part).display = high > 0
            self.query_one(part).styles.height = high

    def _view(self, frame: Frame) -> FrontierView | None:
        snapshot = frame.snapshot
        if snapshot is None or not snapshot.capacity:
            return None
        rows = {row.entity: row for row in snapshot.capacity}
        at_work = next((row for row in snapshot.capacity if row.now is not None), snapshot.capacity[0])
        row = at_work if self._entity is None else rows.get(self._entity, at_work)
        past = self._past if self._past is not None and self._past.entity == row.entity else None
        if past is not None and past.to_ms > snapshot.tick_ms:
            past = past.until(snapshot.tick_ms)
        return FrontierView(
            row=row,
            deployments=deployment_names(snapshot),
            at_ms=snapshot.tick_ms,
            past=past,
            reading=self._waiting or self._asked is None,
            axis=self._axis,
            span_ms=self._span_ms,
            box=row.box if self._box is None else self._box,
            own_box=self._box is not None,
            references=self._references,
            live=frame.live,
            utc_offset_s=snapshot.utc_offset_s,
            sign=formats.currency_sign(snapshot.currency),
        )

    # The past

    def _ask_for(self, view: FrontierView, frame: Frame, snapshot: Snapshot) -> None:
        """Asks when the answer has changed to the eye. A moving moment waits for the answer before: else playing fast
        would take back every question before it is answered."""
        every_ms = min(_SLOWEST_MS, max(_MINUTE_MS, self._span_ms // _POINTS_A_SPAN))
        wanted = _Wanted(
            view.row.entity,
            self._span_ms,
            self._box,
            frame.what_if,
            snapshot.tick_ms // every_ms,
            view.now.to_ms if view.now and every_ms == _MINUTE_MS else None,
        )
        if self._asked is not None and wanted[:4] == self._asked[:4]:
            moved_back = self._past is not None and snapshot.tick_ms < min(self._past.latest_ms, self._asked_at_ms)
            if self._waiting or (wanted == self._asked and not moved_back):
                return
        self._asked, self._asked_at_ms, self._waiting = wanted, snapshot.tick_ms, True
        self.ask(OperatingPoints(wanted.entity, snapshot.tick_ms, wanted.span_ms, wanted.box), self._take_past)

    def _take_past(self, past: OperatingPast | None) -> None:
        self._past, self._waiting = past, False
        self.show(self.tokwatch.frame)

    # Keys

    def action_deployment(self, by: int) -> None:
        view = self._view(self.tokwatch.frame)
        if view is not None:
            entities = [entity for entity, _ in view.deployments]
            self._entity = entities[(entities.index(view.row.entity) + by) % len(entities)]
            self._changed()

    def action_axes(self) -> None:
        self._axis = AXES[(AXES.index(self._axis) + 1) % len(AXES)]
        self._changed()

    def action_span(self, by: int) -> None:
        place = SPANS_MS.index(self._span_ms) + by
        if 0 <= place < len(SPANS_MS):
            self._span_ms = SPANS_MS[place]
            self._changed()

    def action_references(self) -> None:
        self._references = not self._references
        self._changed()

    def action_box(self) -> None:
        from tokwatch.dashboard.screens.prompt import Prompt

        view = self._view(self.tokwatch.frame)
        configured, sign = (box_words(view.row.box, view.sign), view.sign) if view else ("", "$")

        def read(text: str) -> tuple[Box | None]:
            return (read_box(text),)

        def look_by(chosen: tuple[Box | None] | None) -> None:
            if chosen is not None:
                (self._box,) = chosen
                self._changed()

        self.app.push_screen(
            Prompt(
                "BOX",
                f"such as 40 0.50: at least 40 tok/s per user, at most {sign}0.50 per million output tokens; - is "
                f"no limit; empty takes the config's ({configured or 'none'}). Only what is shown changes",
                read,
                note="fast enough and cheap enough",
            ),
            look_by,
        )

    def _changed(self) -> None:
        self.show(self.tokwatch.frame)


def sections(room: int) -> tuple[int, int, int, int]:
    """Rows for the present, the best point, the time in the box and the marks, a blank row after each; 0 leaves one
    out, the least telling first."""
    rows = [0, 0, 0, 0]
    wanted = (frontier_now.ROWS, frontier_best.ROWS, frontier_time.ROWS, frontier_marks.ROWS)
    for number, high in enumerate(wanted):
        if high > room:
            break
        rows[number] = high
        room -= high + 1
    now, best, time, marks = rows
    return now, best, time, marks
