"""The tile of the GPU screen: what it is doing, since when, why, and what that costs. It shouts only while it idles."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats, glyphs, gpu_words
from tokwatch.dashboard.cells import wrap
from tokwatch.dashboard.widgets.gpu_of import row_of
from tokwatch.dashboard.widgets.tile import Piece, Tile, cells_of, few, value
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.gpu_rows import cost_per_day
from tokwatch.ledger.snapshot import GpuRow, Snapshot

_ROWS: Final = 7  # two of them are the padding
_MORE_ROWS: Final = 10  # with why, and what to do


def tile_rows(row: GpuRow | None) -> int:
    """How many it needs."""
    return _MORE_ROWS if row is not None and (gpu_words.why(row) or gpu_words.what_to_do(row)) else _ROWS


class GpuStateTile(Tile):
    """Idle: what the time since its state began has cost, large. Else: what a million of its tokens cost."""

    entity = 0

    @property
    def row(self) -> GpuRow | None:
        return row_of(self.frame, self.entity)

    def ground(self) -> str:
        row = self.row
        return "waste_tint" if row is not None and row.idle and row.confirmed else "surface"

    def fill(self, snapshot: Snapshot) -> None:
        row = self.row
        if row is None:
            self.put(0, Piece("NOT THERE", bold=True))
            self.put_lines(1, "This GPU was not seen at this moment.", "quiet")
            return
        role = gpu_words.role_of(row)
        look = glyphs.look_of_state(row.state)
        loud = row.idle and row.confirmed
        plain = "waste" if loud else "quiet"
        title = f"{look.glyph} {look.word.upper()}"
        self.put(0, Piece(title, role, bold=True))
        self.put(0, Piece(gpu_words.since(row, snapshot, self.room - len(title) - 2), plain), right=True)
        if snapshot.price:
            self._put_money(snapshot, row, plain, loud=loud)
        else:
            self.put(1, Piece(glyphs.ABSENT, "faint"))
            self.put_lines(2, "no price set: $ sets what this GPU costs an hour", plain)
        after = self.put_lines(5, gpu_words.why(row), "waste" if loud else "text")
        if text := gpu_words.what_to_do(row):
            self.put_lines(after, f"→ {text}", "ui")

    def _put_money(self, snapshot: Snapshot, row: GpuRow, plain: str, *, loud: bool) -> None:
        strong = "waste" if loud else "text"
        sign = formats.currency_sign(snapshot.currency)
        rate = self._path("usd_per_hour")
        an_hour = (
            value(row.usd_per_hour, gpu_words.money(row.usd_per_hour, snapshot.currency), strong, rate),
            Piece("/h", plain),
        )
        day = cost_per_day(row.usd_per_hour)
        a_day = (value(day, gpu_words.money(day, snapshot.currency), strong), Piece("/day", plain))
        self.put(1, *an_hour, right=True)
        self.put(2, *a_day, right=True)
        beside = max(cells_of(an_hour), cells_of(a_day))
        field, unit = ("state_usd", "so far") if loud else ("usd_per_m_output", f"per M out{few(row.usd_per_m_output)}")
        figure = row.state_usd if loud else row.usd_per_m_output
        text = formats.figure(figure, formats.amount if loud else formats.per_million)
        if not self.put_big(sign, figure, text, unit, waste=loud, beside=beside, of=self._path(field)):
            written = f"{sign}{text}" if figure.value is not None else text
            strong_one = value(figure, written, "waste" if loud else "bright", self._path(field))
            self.put(1, strong_one, Piece(f" {unit}", plain))
        today = gpu_words.money(row.idle_usd_today, snapshot.currency)
        idle_today = value(row.idle_usd_today, today, strong, self._path("idle_usd_today"))
        self.put(4, idle_today, Piece(" idle today", plain))

    def put_lines(self, row: int, text: str, role: str) -> int:
        """A text over the rows from `row` on, as far as they go; the row after it."""
        for part in wrap(text, self.room):
            if row <= self.last:
                self.put(row, Piece(part, role))
            row += 1
        return row

    def _path(self, field: str) -> FigurePath:
        return FigurePath("gpu", field, self.entity)
