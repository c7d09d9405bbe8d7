"""The bottom rows of the Frontier screen: the box, the mix, the coverage; without the right column the figures too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.frontier_now import NO_TOKENS, side_piece
from tokwatch.dashboard.widgets.frontier_part import FrontierPart
from tokwatch.dashboard.widgets.frontier_time import tenths_of_percent
from tokwatch.dashboard.widgets.frontier_view import FrontierView, box_words, price_words
from tokwatch.ledger.capacity.looking_back import lost_usd_per_hour
from tokwatch.ledger.figure_path import FigurePath

_GAP = 3


class _Piece(NamedTuple):
    text: str
    role: str = "quiet"
    bold: bool = False
    field: str = ""  # of the row of capacity


_Group = tuple[_Piece, ...]


class FrontierSummary(FrontierPart):
    """One row, or two where the right column has gone. Groups that do not fit are left out from the end."""

    def draw(self, rows: range) -> list[Line]:
        lines = [Line(self.size.width, self.look) for _ in range(self.size.height)]
        view = self.view
        if view is not None:
            told = [_looked_at(view)] if len(lines) == 1 else [_present(view), _looked_at(view, with_time=True)]
            for line, groups in zip(lines, told, strict=False):
                _put_groups(line, groups, view.row.entity)
        return lines


def _put_groups(line: Line, groups: Iterator[_Group], entity: int) -> None:
    x = MARGIN
    for group in groups:
        if x + sum(len(to_cells(piece.text)) for piece in group) > line.width - MARGIN:
            break
        for piece in group:
            path = FigurePath("capacity", piece.field, entity) if piece.field else None
            x = line.put(x, piece.text, piece.role, bold=piece.bold, of=path)
        x += _GAP


def _present(view: FrontierView) -> Iterator[_Group]:
    """What the right column says, in one row."""
    now = view.now
    if now is None:
        yield (_Piece(f"{glyphs.ABSENT} {NO_TOKENS}", "faint"),)
        return
    figures = (
        ("output_tok_s_per_gpu", now.output_tok_s_per_gpu, formats.count, " tok/s/GPU"),
        ("tok_s_per_user", now.tok_s_per_user, lambda value: f"{value:.1f}", " tok/s/user"),
        ("usd_per_m_output", now.usd_per_m_output, lambda value: price_words(value, view.sign), "/M out"),
    )
    for field, value, write, unit in figures:
        written = (
            _Piece(glyphs.ABSENT, "faint") if value is None else _Piece(write(value), "bright", True, f"now.{field}")
        )
        yield (written, _Piece(unit))
    side = side_piece(view.side)
    if side.text:
        yield (_Piece(side.text, side.role),)
    best = view.past.best if view.past else None
    lost = lost_usd_per_hour(now, best) if best else None
    if lost is not None and lost >= 0.005:
        yield (_Piece(f"{formats.money(lost, view.sign)}/h lost", "waste"),)


def _looked_at(view: FrontierView, *, with_time: bool = False) -> Iterator[_Group]:
    """By what it is judged, and how much of the time."""
    words = box_words(view.box, view.sign)
    if words:
        yield (_Piece("box set here " if view.own_box else "box "), _Piece(words, "ui" if view.own_box else "text"))
    else:
        yield (_Piece("no box: b sets one here, [frontier] in config.toml for good"),)
    past = view.past
    if past is None or not past.points:
        return
    if with_time and past.time is not None:
        yield (_Piece(f"inside {tenths_of_percent(past.time)[0] / 10:.1f} %", "text"),)
    others = sum(point.mix != past.mix for point in past.points)
    if others:
        yield (_Piece(f"{others} of {len(past.points)} points of another mix"),)
    if past.prompt_per_output is not None:
        yield (_Piece(f"mix in : out {formats.count(past.prompt_per_output)} : 1"),)
    yield (_Piece(f"coverage {formats.percent_tenths(past.coverage)} %"),)
