"""State strip: three hours of every GPU's states. Calm is thin, waste is thick."""

from __future__ import annotations

from itertools import groupby

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.ledger.snapshot import Figure, Snapshot, StateSpan, StripRow

_LEFT = MARGIN + 6  # the column at which the list's states stand
_RIGHT = 9  # for the amounts
_HALF_HOUR_MS = 1_800_000
_ALWAYS = ("serving", "unknown")  # in the legend; the others when they occur


class StateStrip(Canvas):
    """Heading with legend, one row a GPU, time axis."""

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
        _put_heading(lines[0], snapshot)
        gpus = {gpu.entity: gpu for gpu in snapshot.gpus}
        for line, row in zip(lines[1:-1], snapshot.strip, strict=False):
            gpu = gpus.get(row.entity)
            line.put(MARGIN + 1, gpu.label if gpu else str(row.index), width=3, right=True)
            _put_spans(line, row, first_cell, cell_ms, cells)
            _put_amount(line, row.idle_usd, snapshot.currency, bold=gpu is not None and gpu.idle)
        _put_amount(lines[-1], snapshot.strip_idle_usd, snapshot.currency, bold=snapshot.totals.gpus_idle > 0)
        _put_axis(lines[-1], snapshot, first_cell, cell_ms, cells)
        return lines


def _put_heading(line: Line, snapshot: Snapshot) -> None:
    hours = round((snapshot.tick_ms - snapshot.strip_from_ms) / 3_600_000)
    left = line.put(MARGIN, f"LAST {hours} HOURS", bold=True)
    seen = {span.state for row in snapshot.strip for span in row.spans}
    entries = [glyphs.look_of_state(state) for state in glyphs.STATE_ORDER if state in seen or state in _ALWAYS]
    x = line.width - MARGIN
    for look in reversed(entries):
        x -= len(look.word)
        if x - 2 <= left + 2:
            break
        line.put(x, look.word, "waste" if look.role == "waste" else "quiet")
        line.put(x - 2, look.mark, look.mark_role)
        x -= 5


def _put_spans(line: Line, row: StripRow, first_cell: int, cell_ms: int, cells: int) -> None:
    column = _LEFT
    for state, run in groupby(_marks(row.spans, first_cell, cell_ms, cells)):
        look = glyphs.look_of_state(state) if state else None
        length = len(list(run))
        line.put(column, (look.mark if look else glyphs.UNWATCHED) * length, look.mark_role if look else "faint")
        column += length


def _marks(spans: tuple[StateSpan, ...], first_cell: int, cell_ms: int, cells: int) -> list[str]:
    """The state that holds longest in each cell; "" where nobody watched for most of it."""
    held: list[dict[str, int]] = [{} for _ in range(cells)]
    for span in spans:
        first = max(0, span.from_ms // cell_ms - first_cell)
        last = min(cells - 1, (span.to_ms - 1) // cell_ms - first_cell)
        for column in range(first, last + 1):
            begin = (first_cell + column) * cell_ms
            overlap = min(span.to_ms, begin + cell_ms) - max(span.from_ms, begin)
            held[column][span.state] = held[column].get(span.state, 0) + overlap
    return [max(states, key=states.__getitem__) if states else "" for states in held]


def _put_amount(line: Line, idle_usd: Figure, currency: str, *, bold: bool) -> None:
    sign = formats.currency_sign(currency)
    x = line.width - MARGIN - _RIGHT + 1
    if not idle_usd.value:
        line.put(x, glyphs.ABSENT, "faint", width=_RIGHT - 1, right=True)
        return
    text = formats.figure(idle_usd, lambda value: formats.money(value, sign))
    line.put(x, text, "waste", bold=bold, width=_RIGHT - 1, right=True)


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
