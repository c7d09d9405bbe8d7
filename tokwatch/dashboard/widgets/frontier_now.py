"""The Frontier screen's tile: the last minute of the deployment, and whether it is inside the box."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.widgets.frontier_part import FrontierPart
from tokwatch.dashboard.widgets.frontier_view import NOW
from tokwatch.dashboard.widgets.tile import Piece, Tile, cells_of
from tokwatch.ledger.capacity.row import PointRow
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import Snapshot

ROWS: Final = 8
NO_TOKENS: Final = "no tokens in the last minute"
_SIDES: Final = {
    "inside": (NOW, "inside the box", "work"),
    "too slow": ("▲", "too slow", "alarm"),
    "too dear": ("▲", "too dear", "waste"),
    "too slow and too dear": ("▲", "too slow and too dear", "alarm"),
    "unknown": ("·", "side unknown", "faint"),
}


def side_piece(side: str) -> Piece:
    """A side of the box with its glyph; nothing without a box."""
    glyph, words, role = _SIDES.get(side, ("", "", "quiet"))
    return Piece(f"{glyph} {words}".strip(), role)


def share(value: float) -> str:
    """A lower bound in per cent."""
    return f"≥ {formats.percent_tenths(value)}"


class FrontierNow(FrontierPart, Tile):
    """Five figures of the Snapshot under a title."""

    title = "NOW"

    def fill(self, snapshot: Snapshot) -> None:
        view = self.view
        at_ms = view.now.to_ms if view and view.now else view.at_ms if view else 0
        self.put(0, Piece("NOW" if view is None or view.live else f"AT {view.when(at_ms)}"))
        if view is None or view.now is None:
            self.put(1, Piece(f"{glyphs.ABSENT} {NO_TOKENS}" if view else glyphs.ABSENT, "faint"))
            return
        self.put(0, side_piece(view.side), right=True)
        for number, (label, field, write, bold) in enumerate(_figures(view.now, view.sign), 1):
            value: float | None = getattr(view.now, field)
            self.put(number, Piece(label))
            text, role = (glyphs.ABSENT, "faint") if value is None else (write(value), "bright" if bold else "text")
            unit = " %" if field == "slo_met_at_least" and value is not None else "  "
            x = 1 + self.room - cells_of([Piece(text + unit)])
            path = FigurePath("capacity", f"now.{field}", view.row.entity)
            x = self._rows[number].put(x, text, role, bold=bold, of=path)
            self._rows[number].put(x, unit, "quiet")


def _figures(now: PointRow, sign: str) -> tuple[tuple[str, str, Callable[[float], str], bool], ...]:
    per_user = f"tok/s per user{' *' if now.per_token else ''}"
    return (
        ("tok/s per GPU", "output_tok_s_per_gpu", formats.count, True),
        (per_user, "tok_s_per_user", lambda value: f"{value:.1f}", True),
        (f"{sign.strip()} per M out", "usd_per_m_output", formats.per_million, True),
        ("running", "running", formats.count, False),
        ("SLO met", "slo_met_at_least", share, False),
    )
