"""The list of deployments: heading, a row for each model, closing row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.columns import MARGIN, Column, Columns, Place
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.gpu_row import put_figure, put_rule
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.fleet.balance import UNEVEN_FROM
from tokwatch.ledger.fleet.snapshot import ModelRow

COLUMNS: Final = Columns(
    (
        Column("model", 2, 17, 10, 36, 0),
        Column("engine", 2, 9, 6, 13, 124),
        Column("hosts", 1, 5, 5, 5, 0),
        Column("gpus", 1, 6, 6, 6, 88),
        Column("tok_s", 1, 7, 7, 7, 0),
        Column("prompt", 1, 7, 7, 7, 150),
        Column("cached", 1, 8, 8, 8, 158),
        Column("tok_per_j", 1, 7, 7, 7, 104),
        Column("usd_per_m", 1, 7, 7, 7, 0),
        Column("usd_per_hour", 1, 7, 7, 7, 140),
        Column("running", 1, 6, 6, 6, 96),
        Column("waiting", 1, 5, 5, 5, 70),
        Column("kv", 1, 4, 4, 4, 112),
        Column("ttft", 2, 10, 10, 10, 0),
        Column("tpot", 2, 11, 11, 11, 116),
        Column("imbalance", 1, 7, 7, 7, 76),
        Column("left_out", 1, 8, 8, 8, 0),
    ),
    gives_way=("model", "engine"),
    tight=("tok_s", "usd_per_m", "tok_per_j", "hosts", "left_out", "imbalance"),
    grows=("model", "engine"),
    stays=("engine",),
)
_HEADINGS: Final = {
    "model": "MODEL",
    "engine": "ENGINE",
    "hosts": "HOSTS",
    "gpus": "GPUS",
    "tok_s": "TOK/S",
    "prompt": "PROMPT",
    "cached": "CACHED %",
    "tok_per_j": "TOK/S/W",
    "usd_per_m": "$/M OUT",
    "usd_per_hour": "$/H",
    "running": "RUN",
    "waiting": "WAIT",
    "kv": "KV %",
    "ttft": "TTFT p95 s",
    "tpot": "TPOT p95 ms",
    "imbalance": "UNEVEN",
    "left_out": "LEFT OUT",
}
_LEFT: Final = ("model", "engine")


@lru_cache(maxsize=16)  # every row asks
def model_places(width: int) -> Mapping[str, Place]:
    """Where the columns stand."""
    return COLUMNS.places(width)


class ModelHeading(Canvas[FleetFrame]):
    """Names and units of the columns, and a rule."""

    def draw(self, rows: range) -> list[Line]:
        line, rule = Line(self.size.width, self.look), Line(self.size.width, self.look)
        snapshot = self.frame.snapshot
        sign = formats.currency_sign(snapshot.currency).strip() if snapshot else "$"
        for key, place in model_places(self.size.width).items():
            heading = _HEADINGS[key].replace("$", sign)
            if key in _LEFT:
                line.put(place.x, heading, "quiet", width=place.width)
            else:
                line.put(place.end - len(heading), heading, "quiet")
        put_rule(rule)
        return [line, rule]


class ModelRows(CursorRows[FleetFrame]):
    """A row for each model."""

    def models(self) -> Sequence[ModelRow]:
        return self.frame.snapshot.models if self.frame.snapshot else ()

    def subjects(self) -> Sequence[Hashable | None]:
        return [row.model for row in self.models()]

    @property
    def model(self) -> ModelRow | None:
        """The one under the cursor."""
        cursor = self.cursor
        return None if cursor is None else self.models()[cursor]

    def draw_empty(self, line: Line) -> None:
        none = "no model is told of: 4 shows what was asked and found"
        line.put(MARGIN + 2, none if self.frame.snapshot else f"{glyphs.ABSENT} {self.frame.starting}", "quiet")

    def draw_row(self, line: Line, number: int) -> None:
        _put_model(line, model_places(self.app.size.width), self.models()[number])


class ModelClosing(Canvas[FleetFrame]):
    """A rule, and what all hosts make and cost together, those without a model too."""

    def draw(self, rows: range) -> list[Line]:
        rule, line = Line(self.size.width, self.look), Line(self.size.width, self.look)
        put_rule(rule)
        snapshot = self.frame.snapshot
        if snapshot is None or not snapshot.models:
            return [rule, line]
        places, total = model_places(self.size.width), snapshot.total
        line.put(places["model"].x, "all hosts", "quiet", width=places["model"].width)
        line.put(places["hosts"].x, formats.count(total.hosts), bold=True, width=places["hosts"].width, right=True)
        for key, figure, write in (
            ("gpus", Figure(float(total.gpus)), formats.count),
            ("tok_s", total.tok_s, formats.count),
            ("tok_per_j", total.tok_per_j, formats.ratio),
            ("usd_per_m", total.usd_per_m_output, formats.per_million),
            ("usd_per_hour", total.usd_per_hour, formats.amount),
        ):
            _put(line, places, key, figure, write, "bright" if key == "usd_per_m" else "text", bold=True)
        put_interval(line, places, "ttft", snapshot.ttft_p95_s, formats.edge)
        return [rule, line]


def _put_model(line: Line, places: Mapping[str, Place], row: ModelRow) -> None:
    line.put(places["model"].x, row.model, bold=True, width=places["model"].width)
    if "engine" in places:
        engines = ", ".join(map(formats.engine, row.engines)) or glyphs.ABSENT
        line.put(places["engine"].x, engines, "quiet", width=places["engine"].width)
    line.put(places["hosts"].x, formats.count(row.hosts), width=places["hosts"].width, right=True)
    uneven = (row.imbalance.value or 0.0) >= UNEVEN_FROM
    for key, figure, write, role in (
        ("gpus", row.gpus, formats.count, "text"),
        ("tok_s", row.tok_s, formats.count, "quiet" if row.tok_s.value == 0 else "text"),
        ("prompt", row.prompt_tok_s, formats.count, "text"),
        ("cached", row.cached_share, formats.percent, "text"),
        ("tok_per_j", row.tok_per_j, formats.ratio, "text"),
        ("usd_per_m", row.usd_per_m_output, formats.per_million, "bright"),
        ("usd_per_hour", row.usd_per_hour, formats.amount, "text"),
        ("kv", row.kv_usage, formats.percent, "text"),
        ("imbalance", row.imbalance, _times, "waste" if uneven else "quiet"),
    ):
        _put(line, places, key, figure, write, role, bold=key == "usd_per_m")
    for key, count in (("running", row.running), ("waiting", row.waiting)):
        put_count(line, places, key, count)
    put_interval(line, places, "ttft", row.ttft_s.p95, formats.edge)
    put_interval(line, places, "tpot", row.tpot_s.p95, formats.edge_ms)
    left_out, place = len(row.misrouted), places["left_out"]
    line.put(place.x, str(left_out), "waste" if left_out else "quiet", bold=left_out > 0, width=place.width, right=True)


def _times(factor: float) -> str:
    return f"{factor:.1f}×"


def put_count(line: Line, places: Mapping[str, Place], key: str, count: int | None) -> None:
    """A number of requests, at the right of its column."""
    if key in places:
        role = "faint" if count is None else "quiet" if not count else "text"
        text = glyphs.ABSENT if count is None else formats.count(count)
        line.put(places[key].x, text, role, width=places[key].width, right=True)


def _put(
    line: Line,
    places: Mapping[str, Place],
    key: str,
    figure: Figure,
    write: Callable[[float], str],
    role: str,
    *,
    bold: bool = False,
) -> None:
    if key in places:
        put_figure(line, places[key], figure, formats.figure(figure, write), role, bold=bold)


def put_interval(
    line: Line, places: Mapping[str, Place], key: str, interval: Interval, write: Callable[[float], str]
) -> None:
    """Both bounds, at the right of their column."""
    if key in places:
        role = "faint" if interval.low is None else "text"
        place = places[key]
        line.put(place.x, formats.interval(interval, write), role, width=place.width, right=True)
