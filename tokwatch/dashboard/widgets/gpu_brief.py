"""The GPU screen's figures on a narrow terminal: what the tile says, and what the device tells, in a few lines."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats, glyphs, gpu_words
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.gpu_device import ailments, gauges
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas
from tokwatch.dashboard.widgets.gpu_servers import processes
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.gpu_rows import cost_per_day
from tokwatch.ledger.snapshot import GpuRow, Snapshot

_GAP: Final = 3


def brief_rows(row: GpuRow | None) -> int:
    """How many it needs."""
    return 3 if row is not None and (gpu_words.why(row) or gpu_words.what_to_do(row)) else 2


class GpuBrief(GpuCanvas):
    """The state and since when; money; and in a third row, where there is anything to tell, why and what to do."""

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        row, snapshot = self.row, self.frame.snapshot
        ground = "waste_tint" if row is not None and row.idle and row.confirmed else "surface"
        lines = [Line(width, self.look) for _ in range(height)]
        for line in lines:
            line.paint(MARGIN, width - 2 * MARGIN, ground)
        if row is None or snapshot is None or height < 2:
            return lines
        look, role = glyphs.look_of_state(row.state), gpu_words.role_of(row)
        plain = "waste" if ground == "waste_tint" else "quiet"
        x = lines[0].put(MARGIN + 1, f"{look.glyph} {look.word.upper()}", role, bold=True)
        lines[0].put(x + 2, gpu_words.since(row, snapshot, width - MARGIN - 3 - x), plain)
        self._put_money(lines[1], row, snapshot, plain)
        if height < 3:
            return lines
        text, todo = gpu_words.why(row), gpu_words.what_to_do(row)
        x = lines[2].put(MARGIN + 1, text, "waste" if plain == "waste" else "text", width=width - 2 * MARGIN - 2)
        if todo:
            lines[2].put(x + (2 if text else 0), f"→ {todo}", "ui", width=max(0, width - MARGIN - 1 - x - 2))
        return lines

    def _put_money(self, line: Line, row: GpuRow, snapshot: Snapshot, plain: str) -> None:
        if not snapshot.price:
            line.put(MARGIN + 1, f"{glyphs.ABSENT} no price set: $ sets what this GPU costs an hour", plain)
            return
        first = ("state_usd", "so far") if plain == "waste" else ("usd_per_m_output", "per M out")
        x = MARGIN + 1
        day = cost_per_day(row.usd_per_hour)
        for field, figure, unit in (
            (first[0], getattr(row, first[0]), f" {first[1]}"),
            ("idle_usd_today", row.idle_usd_today, " idle today"),
            ("usd_per_hour", row.usd_per_hour, "/h"),
            ("", day, "/day"),
        ):
            x = (
                _put_amount(line, x, (figure, unit), snapshot.currency, plain, self.path(field) if field else None)
                + _GAP
            )


class GpuFigures(GpuCanvas):
    """Gauges one after the other, as many as there is room for; what ails the device and what runs on it before."""

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        row, snapshot = self.row, self.frame.snapshot
        if row is None or snapshot is None or not lines:
            return lines
        left = list(lines)
        for glyph, text, role in list(ailments(row, snapshot))[: max(0, height - 1)]:
            line = left.pop(0)
            line.put(line.put(MARGIN, glyph, role) + 1, text, role, width=width - 2 * MARGIN - 2)
        x = MARGIN
        for gauge in gauges(row):
            known = getattr(row, gauge.field).value is not None
            parts = (f"{gauge.label} ", gauge.text, f" {gauge.unit}" if known else "")
            cells = sum(len(to_cells(part)) for part in parts)
            if x + cells > width - MARGIN and x > MARGIN:
                left.pop(0)
                x = MARGIN
            if not left:
                return lines
            x = left[0].put(x, parts[0], "quiet")
            x = left[0].put(x, parts[1], "text" if known else "faint", of=self.path(gauge.field))
            x = left[0].put(x, parts[2], "quiet") + _GAP
        if x + len(processes(row)) <= width - MARGIN:
            left[0].put(x, processes(row), "quiet")
        return lines


def _put_amount(line: Line, x: int, what: tuple[Figure, str], currency: str, plain: str, of: FigurePath | None) -> int:
    figure, unit = what
    known = figure.infinite or figure.value is not None
    sign = formats.currency_sign(currency)
    write = formats.per_million if of is not None and of.field == "usd_per_m_output" else None
    text = gpu_words.money(figure, currency) if write is None else formats.figure(figure, lambda usd: sign + write(usd))
    role = ("waste" if plain == "waste" else "bright") if known else "faint"
    return line.put(line.put(x, text, role, bold=known, of=of), unit, plain)
