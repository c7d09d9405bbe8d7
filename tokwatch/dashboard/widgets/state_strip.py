"""State strip: three hours of every GPU's states. Calm is thin, waste is thick."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.arrange.view import Listing
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.state_bar import longest_states, put_states
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.figures import known_total
from tokwatch.ledger.snapshot import Figure, Snapshot, StripRow

_LEFT = MARGIN + 6  # the column at which the list's states stand
_RIGHT = 9  # for the amounts
_HALF_HOUR_MS = 1_800_000
_ALWAYS = ("serving", "unknown")  # in the legend; the others when they occur


class StateStrip(Canvas):
    """Heading with legend, one row a GPU of the list, time axis."""

    def __init__(self, look: Look, listing: Listing, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self._listing = listing

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        snapshot = self.frame.snapshot
        cells = width - _LEFT - _RIGHT
        if snapshot is None or height < 3 or cells < 10:
            return lines
        # The grid stands still in time and moves by whole cells, so that most ticks change nothing.
        cell_ms = -(-(snapshot.tick_ms - snapshot.strip_from_ms) // cells)
        if cell_ms <= 0:
            return lines
        first_cell = snapshot.tick_ms // cell_ms - cells + 1
        shown = self._listing.of(snapshot)
        strips = {row.entity: row for row in snapshot.strip}
        pairs = [(gpu, strips[gpu.entity]) for gpu in shown.open_gpus if gpu.entity in strips]
        _put_heading(lines[0], snapshot, [row for _, row in pairs])
        for line, (gpu, row) in zip(lines[1:-1], pairs, strict=False):
            line.put(MARGIN + 1, gpu.label, width=3, right=True)
            states = longest_states(row.spans, first_cell * cell_ms, (first_cell + cells) * cell_ms, cells)
            put_states(line, _LEFT, states)
            of = FigurePath("strip", "idle_usd", row.entity)
            _put_amount(line, row.idle_usd, snapshot.currency, bold=gpu.idle, of=of)
        every = FigurePath("snapshot", "strip_idle_usd") if len(pairs) == len(snapshot.strip) else None
        if every is not None:
            idle_usd, idle = snapshot.strip_idle_usd, snapshot.totals.gpus_idle > 0
        else:
            idle_usd, idle = known_total([row.idle_usd for _, row in pairs], ""), any(gpu.idle for gpu, _ in pairs)
        _put_amount(lines[-1], idle_usd, snapshot.currency, bold=idle, of=every)
        _put_axis(lines[-1], snapshot, first_cell, cell_ms, cells)
        return lines


def _put_heading(line: Line, snapshot: Snapshot, strips: Sequence[StripRow]) -> None:
    hours = round((snapshot.tick_ms - snapshot.strip_from_ms) / 3_600_000)
    left = line.put(MARGIN, f"LAST {hours} HOURS", bold=True)
    seen = {span.state for row in strips for span in row.spans}
    entries = [glyphs.look_of_state(state) for state in glyphs.STATE_ORDER if state in seen or state in _ALWAYS]
    x = line.width - MARGIN
    for look in reversed(entries):
        x -= len(look.word)
        if x - 2 <= left + 2:
            break
        line.put(x, look.word, "waste" if look.role == "waste" else "quiet")
        line.put(x - 2, look.mark_in(colourless=line.colourless), look.mark_role)
        x -= 5


def _put_amount(line: Line, idle_usd: Figure, currency: str, *, bold: bool, of: FigurePath | None) -> None:
    sign = formats.currency_sign(currency)
    x = line.width - MARGIN - _RIGHT + 1
    if not idle_usd.value:
        line.put(x, glyphs.ABSENT, "faint", width=_RIGHT - 1, right=True, of=of)
        return
    text = formats.figure(idle_usd, lambda value: formats.money(value, sign))
    line.put(x, text, "waste", bold=bold, width=_RIGHT - 1, right=True, of=of)


def _put_axis(line: Line, snapshot: Snapshot, first_cell: int, cell_ms: int, cells: int) -> None:
    offset = snapshot.utc_offset_s
    start_ms = first_cell * cell_ms
    end = "now" if snapshot.mode == "live" else formats.hour_minute(snapshot.tick_ms, offset)
    right = _LEFT + cells - len(end)
    line.put(right, end, "quiet")
    free = line.put(_LEFT, formats.hour_minute(start_ms, offset), "quiet") + 2
    local_start = start_ms + offset * 1000
    tick = -(-local_start // _HALF_HOUR_MS) * _HALF_HOUR_MS
    while (x := _LEFT + (tick - local_start) // cell_ms) < right - 7:
        if x >= free:
            free = line.put(x, formats.hour_minute(tick, 0), "quiet") + 2
        tick += _HALF_HOUR_MS
