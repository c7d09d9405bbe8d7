"""The best minute seen beside the present one, and what the difference costs an hour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.widgets.frontier_part import FrontierPart, heading
from tokwatch.dashboard.widgets.frontier_view import BEST, FrontierView
from tokwatch.ledger.capacity.looking_back import lost_usd_per_hour
from tokwatch.ledger.capacity.row import PointRow

ROWS: Final = 10
_WORTH_SAYING: Final = 0.05  # a price that much above the best is money paid for nothing
_THEN_ENDS: Final = 11  # columns before the right edge


class _Compared(NamedTuple):
    label: str
    then: str
    now_by: str
    role: str = "quiet"


class FrontierBest(FrontierPart):
    """A heading, five rows of then and now, and the loss; blank before the first point."""

    def draw(self, rows: range) -> list[Line]:
        view, width = self.view, self.size.width
        lines = [Line(width, self.look) for _ in range(max(ROWS, self.size.height))]
        past = view.past if view else None
        if view is None or past is None or not past.points:  # the plane says why
            return lines[: self.size.height]
        if past.best is None:
            heading(lines, "BEST POINT")
            for line, words in zip(lines[2:], wrap(f"{glyphs.ABSENT} {_why_none(view)}", width), strict=False):
                line.put(0, words, "quiet")
            return lines[: self.size.height]
        heading(lines, "BEST POINT", (f"{BEST} ", "work"), (f"seen {view.when(past.best.to_ms)}", "quiet"))
        _put_right(lines[2], "THEN", _THEN_ENDS, "quiet")
        _put_right(lines[2], "NOW BY" if view.live else "BY", 0, "quiet")
        for line, row in zip(lines[3:], _compared(past.best, view.now, view.sign), strict=False):
            line.put(0, row.label)
            _put_right(line, row.then, _THEN_ENDS, "text")
            _put_right(line, row.now_by, 0, row.role, bold=row.role == "waste")
        if view.now is not None:
            _put_loss(lines[9], view, view.now, past.best)
        return lines[: self.size.height]


def _why_none(view: FrontierView) -> str:
    where = "of its mix was inside the box" if view.box.set else "of its mix tells tokens and times"
    return f"no point in the {view.span_words} {where}"


def _compared(best: PointRow, now: PointRow | None, sign: str) -> Iterator[_Compared]:
    def by_share(field: str, label: str, write: Callable[[float], str], *, is_price: bool = False) -> _Compared:
        then, present = _value(best, field), _value(now, field)
        if then is None or present is None or not then:
            return _Compared(label, _written(then, write), glyphs.ABSENT, "faint")
        more = present / then - 1
        role = "waste" if is_price and more >= _WORTH_SAYING else "quiet"
        return _Compared(label, write(then), f"{_signed(100 * more)} %", role)

    def by_amount(field: str, label: str, write: Callable[[float], str], factor: float, unit: str) -> _Compared:
        then, present = _value(best, field), _value(now, field)
        if then is None or present is None:
            return _Compared(label, _written(then, write), glyphs.ABSENT, "faint")
        return _Compared(label, write(then), f"{_signed(factor * (present - then))}{unit}")

    yield by_share("output_tok_s_per_gpu", "tok/s per GPU", formats.count)
    yield by_share("tok_s_per_user", "tok/s per user", lambda value: f"{value:.1f}")
    yield by_share("usd_per_m_output", f"{sign.strip()} per M out", formats.per_million, is_price=True)
    yield by_amount("running", "running", formats.count, 1, "")
    yield by_amount("cached_share", "prefix hits", lambda value: f"{formats.percent(value)} %", 100, " pt")


def _put_loss(line: Line, view: FrontierView, now: PointRow, best: PointRow) -> None:
    lost = lost_usd_per_hour(now, best)
    if lost is None:
        line.put(0, f"{glyphs.ABSENT} lost: no price set", "faint")
    elif lost < 0.005:
        line.put(0, "nothing lost against the best", "quiet")
    else:
        x = line.put(0, f"{formats.money(lost, view.sign)}/h", "waste", bold=True)
        line.put(x + 1, "lost against the best", "waste")


def _value(point: PointRow | None, field: str) -> float | None:
    found: float | None = getattr(point, field) if point else None
    return found


def _written(value: float | None, write: Callable[[float], str]) -> str:
    return glyphs.ABSENT if value is None else write(value)


def _signed(value: float) -> str:
    whole = round(value)
    return "0" if whole == 0 else f"{'+' if whole > 0 else '−'}{formats.count(abs(whole))}"


def _put_right(line: Line, text: str, before_edge: int, role: str, *, bold: bool = False) -> None:
    line.put(0, text, role, bold=bold, width=line.width - before_edge, right=True)
