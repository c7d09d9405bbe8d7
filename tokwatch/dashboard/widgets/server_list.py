"""The server list: heading, servers under their deployments, closing row. Of the three Canvases the rows scroll."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.columns import MARGIN, Column, Columns, Place
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.gpu_row import put_figure, put_rule
from tokwatch.dashboard.widgets.server_groups import ServerGroup, server_groups
from tokwatch.ledger.counting import output_elsewhere
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.figures import part_of
from tokwatch.ledger.snapshot import Figure, Interval, ServerRow, Snapshot

COLUMNS: Final = Columns(
    (
        Column("address", 2, 17, 12, 32, 0),  # after a glyph
        Column("engine", 2, 9, 6, 13, 120),
        Column("model", 2, 16, 10, 34, 150),
        Column("gpus", 2, 6, 6, 10, 132),
        Column("tok_s", 2, 7, 7, 7, 0),
        Column("prompt", 2, 7, 7, 7, 104),
        Column("cached", 2, 8, 8, 8, 110),
        Column("running", 2, 4, 4, 4, 0),
        Column("waiting", 1, 4, 4, 4, 60),
        Column("kv", 2, 4, 4, 4, 70),
        Column("ttft", 2, 9, 9, 9, 0),
        Column("tpot", 2, 10, 10, 10, 96),
        Column("slo", 2, 9, 9, 9, 80),
        Column("tok_per_j", 2, 7, 7, 7, 160),
        Column("usd_per_m", 2, 7, 7, 7, 0),
    ),
    gives_way=("address", "engine"),
    grows=("address", "model", "engine", "gpus"),
    stays=("engine",),
)
_HEADINGS = {
    "address": "ADDRESS",
    "engine": "ENGINE",
    "model": "MODEL",
    "gpus": "GPUS",
    "tok_s": "OUT TOK/S",
    "prompt": "PROMPT",
    "cached": "CACHED %",
    "running": "RUN",
    "waiting": "WAIT",
    "kv": "KV %",
    "ttft": "TTFT p95 s",
    "tpot": "TPOT p95 ms",
    "slo": "SLO MET %",
    "tok_per_j": "TOK/S/W",
    "usd_per_m": "$/M OUT",
}
_LEFT = ("address", "engine", "model", "gpus")
_GLYPH = 2  # cells of a glyph and the blank after it


@lru_cache(maxsize=16)  # every row asks
def _places(width: int) -> Mapping[str, Place]:
    return COLUMNS.places(width)


class ServerHeading(Canvas):
    """Names and units of the columns, and a rule."""

    def draw(self, rows: range) -> list[Line]:
        line, rule = Line(self.size.width, self.look), Line(self.size.width, self.look)
        snapshot = self.frame.snapshot
        sign = formats.currency_sign(snapshot.currency).strip() if snapshot else "$"
        for key, place in _places(self.size.width).items():
            heading = _HEADINGS[key].replace("$", sign)
            if key in _LEFT:
                line.put(place.x + (_GLYPH if key == "address" else 0), heading, "quiet", width=place.width)
            else:
                width = max(place.width, len(heading))
                line.put(place.end - width, heading, "quiet", width=width, right=True)
        put_rule(rule)
        return [line, rule]


class ServerRows(CursorRows):
    """A line for each deployment, and its servers under it."""

    _of: Snapshot | None = None
    _rows: tuple[ServerGroup | ServerRow, ...] = ()

    def subjects(self) -> Sequence[Hashable | None]:
        return [row.entity if isinstance(row, ServerRow) else None for row in self._all()]

    def rows_of(self, frame: Frame) -> int:
        """How many rows a frame needs, before it is shown."""
        groups = server_groups(frame.snapshot) if frame.snapshot else ()
        return max(1, sum(1 + len(group.servers) for group in groups))

    @property
    def server(self) -> ServerRow | None:
        """The server under the cursor."""
        cursor = self.cursor
        row = None if cursor is None else self._all()[cursor]
        return row if isinstance(row, ServerRow) else None

    def _all(self) -> tuple[ServerGroup | ServerRow, ...]:
        if self._of is not self.frame.snapshot:
            self._of = self.frame.snapshot
            groups = server_groups(self._of) if self._of else ()
            self._rows = tuple(chain.from_iterable((group, *group.servers) for group in groups))
        return self._rows

    def draw_empty(self, line: Line) -> None:
        starting = f"{glyphs.ABSENT} {self.frame.starting}"
        found_none = "no server found; 6 shows where tokwatch looked"
        line.put(MARGIN + 2, found_none if self.frame.snapshot else starting, "quiet")

    def draw_row(self, line: Line, number: int) -> None:
        snapshot, row = self.frame.snapshot, self._all()[number]
        assert snapshot is not None  # there are no rows before one
        places = _places(self.app.size.width)  # a scroll bar stands in the margin and moves no column
        if isinstance(row, ServerGroup):
            _put_group(line, places, row, snapshot)
        else:
            _put_server(line, places, row)


class ServerClosing(Canvas):
    """A rule, and all servers together."""

    def draw(self, rows: range) -> list[Line]:
        rule, line = Line(self.size.width, self.look), Line(self.size.width, self.look)
        put_rule(rule)
        snapshot = self.frame.snapshot
        if snapshot is None or not snapshot.servers:
            return [rule, line]
        places, totals = _places(self.size.width), snapshot.totals
        up = sum(server.up for server in snapshot.servers)
        every = len(snapshot.servers)
        line.put(places["address"].x + _GLYPH, f"all {every}" if up == every else f"{up} of {every} answer", "quiet")
        for key, field, figure, write in (
            ("tok_s", "tok_s", totals.tok_s, formats.count),
            ("tok_per_j", "tok_per_j", totals.tok_per_j, formats.ratio),
            ("usd_per_m", "usd_per_m_output", totals.usd_per_m_output, formats.per_million),
        ):
            if key in places:
                role = "bright" if key == "usd_per_m" else "text"
                _put(line, places[key], figure, write, role, FigurePath("totals", field), bold=True)
        _put_interval(line, places, "ttft", totals.ttft_p95_s, formats.edge, "text", FigurePath("totals", "ttft_p95_s"))
        role = "alarm" if totals.slo_verdict == "missed" else "text"
        slo = FigurePath("totals", "slo_met")
        _put_interval(line, places, "slo", totals.slo_met, formats.percent_tenths, role, slo)
        return [rule, line]


def _put_group(line: Line, places: Mapping[str, Place], group: ServerGroup, snapshot: Snapshot) -> None:
    """The deployment: what it is, and what its servers make together."""
    deployment, start = group.deployment, places["address"].x
    if deployment is None:
        x = line.put(start, group.name, "quiet")
        line.put(x + 2, group.about, "faint", width=max(0, line.width - MARGIN - x - 2))
        return
    economy, end = deployment.economy, places["tok_s"].x - 1
    gpus = formats.devices(deployment.gpus, snapshot.device)
    x = line.put(start, group.name, bold=True, width=max(8, end - start - len(gpus) - 2))
    line.put(x + 2, gpus, "quiet", width=max(0, end - x - 2))
    path = FigurePath("deployment", "economy.output_tok_s", deployment.key)
    _put(line, places["tok_s"], economy.output_tok_s, formats.count, "text", path, bold=True)
    usd = FigurePath("deployment", "economy.tokens.output_only", deployment.key)
    _put(line, places["usd_per_m"], economy.tokens.output_only, formats.per_million, "bright", usd, bold=True)
    first = group.servers[0]
    per_watt = FigurePath("server", "tok_per_j", first.entity)  # of the deployment: the same at each of its servers
    if "tok_per_j" in places:
        _put(line, places["tok_per_j"], first.tok_per_j, formats.ratio, "text", per_watt, bold=True)
    elif first.tok_per_j.value is not None:
        x = line.put(places["tok_s"].end + 2, formats.figure(first.tok_per_j, formats.ratio), of=per_watt)
        line.put(x + 1, "tok/s/W", "quiet")


def _put_server(line: Line, places: Mapping[str, Place], server: ServerRow) -> None:
    address = places["address"]
    glyph, role = (glyphs.OK, "work") if server.up else (glyphs.FAILED, "alarm")
    line.put(address.x, glyph, role)
    line.put(address.x + _GLYPH, server.address, width=address.width - _GLYPH)
    if "engine" in places:
        line.put(places["engine"].x, formats.engine(server.engine), "quiet", width=places["engine"].width)
    if not server.up:
        x = line.put(places.get("engine", address).end + 2, "down", "alarm", bold=True)
        line.put(x + 2, server.problem, width=max(0, line.width - MARGIN - x - 2))
        return
    for key, text in (("model", server.model), ("gpus", formats.devices(server.gpus, "").strip())):
        if key in places:
            line.put(places[key].x, text or glyphs.ABSENT, "text" if text else "faint", width=places[key].width)
    _put_work(line, places, server)
    _put_service(line, places, server)


def _put_work(line: Line, places: Mapping[str, Place], server: ServerRow) -> None:
    elsewhere = output_elsewhere(server.counts)
    for key, field, figure, write in (
        ("tok_s", "tok_s", server.tok_s, formats.count),
        ("prompt", "prompt_tok_s", server.prompt_tok_s, formats.count),
        ("cached", "cached_tok_s", part_of(server.cached_tok_s, server.prompt_tok_s), formats.percent),
        ("kv", "kv_usage", server.kv_usage, formats.percent),
        ("tok_per_j", "tok_per_j", server.tok_per_j, formats.ratio),
    ):
        if key in places:
            role = "quiet" if figure.value == 0 or elsewhere else "text"
            _put(line, places[key], figure, write, role, FigurePath("server", field, server.entity))
    if elsewhere and server.tok_s.value is not None:  # in brackets: shown, and added up at other servers
        place = places["tok_s"]
        line.put(place.end - len(formats.figure(server.tok_s, formats.count)) - 1, "(", "quiet")
        line.put(place.end, ")", "quiet")
    for key, requests in (("running", server.running), ("waiting", server.waiting)):
        if key in places:
            role = "faint" if requests is None else "quiet" if not requests else "text"
            text = glyphs.ABSENT if requests is None else formats.count(requests)
            path = FigurePath("server", key, server.entity)
            line.put(places[key].x, text, role, width=places[key].width, right=True, of=path)


def _put_service(line: Line, places: Mapping[str, Place], server: ServerRow) -> None:
    _put_interval(line, places, "ttft", server.ttft_p95_s, formats.edge, "text", _path(server, "ttft_p95_s"))
    if server.tpot_p95_s.low is None and server.itl_s.p95.low is not None:  # another measure, by its name
        itl = _path(server, "itl_s.p95")
        _put_interval(line, places, "tpot", server.itl_s.p95, formats.edge_ms, "text", itl, before="itl ")
    else:
        _put_interval(line, places, "tpot", server.tpot_p95_s, formats.edge_ms, "text", _path(server, "tpot_p95_s"))
    few = server.slo_met.why != ""
    role = "quiet" if few else "alarm" if server.slo_verdict == "missed" else "text"
    _put_interval(line, places, "slo", server.slo_met, formats.percent_tenths, role, _path(server, "slo_met"))
    if not server.verified:
        place = places["usd_per_m"]
        line.put(place.x, server.owner or "another", "waste", width=place.width, right=True)
    else:
        usd = _path(server, "usd_per_m_output")
        _put(line, places["usd_per_m"], server.usd_per_m_output, formats.per_million, "text", usd)


def _path(server: ServerRow, field: str) -> FigurePath:
    return FigurePath("server", field, server.entity)


def _put(
    line: Line,
    place: Place,
    figure: Figure,
    write: Callable[[float], str],
    role: str,
    path: FigurePath,
    *,
    bold: bool = False,
) -> None:
    put_figure(line, place, figure, formats.figure(figure, write), role, bold=bold, of=path)


def _put_interval(
    line: Line,
    places: Mapping[str, Place],
    key: str,
    interval: Interval,
    write: Callable[[float], str],
    role: str,
    path: FigurePath,
    *,
    before: str = "",
) -> None:
    """Both bounds, at the right of their column; where they do not fit, what is sure of them."""
    if key not in places:
        return
    place, text = places[key], formats.interval(interval, write)
    x = line.put(place.x, text, "faint" if interval.low is None else role, width=place.width, right=True, of=path)
    if before and x - len(text) - len(before) >= place.x - 1:
        line.put(x - len(text) - len(before), before, "quiet")
