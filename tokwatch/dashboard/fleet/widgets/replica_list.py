"""The replicas of one deployment: what it is, and a row for each host, those of which something is to be said first."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.columns import MARGIN, Column, Columns, Place
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.widgets.model_list import put_count
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.gpu_row import put_figure, put_rule
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, ModelRow, ReplicaRow

_COLUMNS: Final = Columns(
    (
        Column("host", 2, 14, 10, 30, 0),
        Column("servers", 2, 7, 7, 7, 90),
        Column("tok_s", 2, 7, 7, 7, 0),
        Column("running", 2, 5, 5, 5, 0),
        Column("waiting", 2, 5, 5, 5, 0),
        Column("kv", 2, 4, 4, 4, 60),
        Column("verdict", 2, 28, 10, 60, 0),
    ),
    gives_way=("verdict", "host"),
    grows=("verdict", "host"),
    stays=("host", "servers", "tok_s", "running", "waiting", "kv", "verdict"),
)
_HEADINGS: Final = {
    "host": "HOST",
    "servers": "SERVERS",
    "tok_s": "TOK/S",
    "running": "RUN",
    "waiting": "WAIT",
    "kv": "KV %",
    "verdict": "",
}


@lru_cache(maxsize=16)
def _places(width: int) -> Mapping[str, Place]:
    return _COLUMNS.places(width)


def model_of(snapshot: FleetSnapshot | None, model: str) -> ModelRow | None:
    """The deployment of that name; None where none is told of now."""
    return next((row for row in snapshot.models if row.model == model), None) if snapshot else None


class ReplicaSummary(Canvas[FleetFrame]):
    """The deployment in two rows."""

    def __init__(self, look: Look, model: str) -> None:
        super().__init__(look)
        self._model = model

    def draw(self, rows: range) -> list[Line]:
        name, latency, blank = (Line(self.size.width, self.look) for _ in range(3))
        row = model_of(self.frame.snapshot, self._model)
        x = name.put(MARGIN, self._model, bold=True) + 2
        if row is None:
            name.put(x, "is not told of at this moment", "quiet")
            return [name, latency, blank]
        engines = ", ".join(map(formats.engine, row.engines))
        name.put(x, f"{engines}  {row.hosts} hosts, {formats.figure(row.gpus, formats.count)} GPUs", "quiet")
        x = MARGIN
        for label, text in _facts(row):
            if x + len(label) + 1 + len(text) > latency.width - MARGIN:
                break
            x = latency.put(x, label, "quiet") + 1
            x = latency.put(x, text) + 2
        return [name, latency, blank]


def _facts(row: ModelRow) -> Iterator[tuple[str, str]]:
    """Its latencies and its balance; why where they are not known."""
    for name, told, write, unit, quantiles in (
        ("TTFT", row.ttft_s, formats.edge, "s", ("p50", "p95", "p99")),
        ("TPOT", row.tpot_s, formats.edge_ms, "ms", ("p50", "p95")),
    ):
        if told.p95.low is None:
            yield name, f"{glyphs.ABSENT} {told.p95.why}"
            continue
        for quantile in quantiles:
            label = f"{name} {quantile}" if quantile == "p50" else quantile
            yield label, f"{formats.interval(getattr(told, quantile), write)} {unit}"
    yield "uneven", f"{formats.figure(row.imbalance, lambda factor: f'{factor:.1f}×')} {row.imbalance.why}".rstrip()


class ReplicaHeading(Canvas[FleetFrame]):
    """Names of the columns, and a rule."""

    def draw(self, rows: range) -> list[Line]:
        line, rule = Line(self.size.width, self.look), Line(self.size.width, self.look)
        for key, place in _places(self.size.width).items():
            line.put(place.x, _HEADINGS[key], "quiet", width=place.width, right=key not in ("host", "verdict"))
        put_rule(rule)
        return [line, rule]


class ReplicaRows(CursorRows[FleetFrame]):
    """A row for each host, virtual."""

    def __init__(self, look: Look, model: str) -> None:
        super().__init__(look)
        self._model = model
        self._made: tuple[FleetSnapshot | None, Sequence[ReplicaRow]] = (None, ())

    def rows_of(self, frame: FleetFrame) -> int:
        """How many rows a frame needs, before it is shown."""
        row = model_of(frame.snapshot, self._model)
        return len(row.replicas) if row else 0

    def replicas(self) -> Sequence[ReplicaRow]:
        """Those with a verdict first; by name, for by requests they would change places with every look."""
        snapshot = self.frame.snapshot
        if self._made[0] is not snapshot:
            row = model_of(snapshot, self._model)
            found = row.replicas if row else ()
            self._made = snapshot, sorted(found, key=lambda each: (not each.verdict, each.label))
        return self._made[1]

    def subjects(self) -> Sequence[Hashable | None]:
        return [replica.key for replica in self.replicas()]

    @property
    def replica(self) -> ReplicaRow | None:
        """The one under the cursor."""
        cursor = self.cursor
        return None if cursor is None else self.replicas()[cursor]

    def draw_empty(self, line: Line) -> None:
        line.put(MARGIN + 2, f"{glyphs.ABSENT} no replica at this moment", "quiet")

    def draw_row(self, line: Line, number: int) -> None:
        row, places = self.replicas()[number], _places(self.app.size.width)
        line.put(places["host"].x, row.label, width=places["host"].width)
        if "servers" in places:
            line.put(places["servers"].x, str(row.servers), "quiet", width=places["servers"].width, right=True)
        role = "quiet" if row.tok_s.value == 0 else "text"
        put_figure(line, places["tok_s"], row.tok_s, formats.figure(row.tok_s, formats.count), role, bold=False)
        put_count(line, places, "running", row.running)
        put_count(line, places, "waiting", row.waiting)
        if "kv" in places:
            put_figure(
                line, places["kv"], row.kv_usage, formats.figure(row.kv_usage, formats.percent), "text", bold=False
            )
        down = row.tok_s.value is None and row.running is None and bool(row.verdict)
        place = places["verdict"]
        line.put(place.x, row.verdict, "alarm" if down else "waste", width=place.width)
