"""Revenue, cost and profit by price tier; with what nobody bought the rows add up to all GPUs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.money.by_tier import TierRow, cost_without_tokens, tier_rows
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.snapshot import Snapshot

CHROME: Final = 5  # heading, rule, idle, rule, all
_NAME_CELLS: Final = 13


class Cell(NamedTuple):
    """One figure of a row, already written."""

    text: str
    role: str = "text"
    bold: bool = False
    of: FigurePath | None = None


class Column(NamedTuple):
    """A column of figures; `goes_below`: width of the section under which it is left out."""

    key: str
    heading: str
    width: int
    goes_below: int = 0


_COLUMNS: Final = (
    Column("input", "IN {}/M", 9, 70),
    Column("output", "OUT {}/M", 10, 70),
    Column("tokens", "M OUT/H", 9, 46),
    Column("revenue", "REVENUE", 10),
    Column("cost", "COST", 8),
    Column("profit", "PROFIT", 9),
    Column("margin", "%", 5, 52),
)
_PRICES: Final = ("input", "output")
_NOTHING: Final = Cell(glyphs.ABSENT, "faint")
Cells = dict[str, Cell]
Write = Callable[[float], str]


class TierTable(MoneySection):
    """Needs the list of token prices for the first two columns; all else is the Snapshot's."""

    token_list: TokenList | None = None

    def count(self, snapshot: Snapshot) -> int:
        """Rows between heading and closing."""
        rows = tier_rows(snapshot.traffic, snapshot.deployments, self.token_list)
        return len(rows) + (cost_without_tokens(rows, snapshot.economy.cost) is not None)

    def write(self, width: int, height: int) -> list[Line]:
        snapshot = self.frame.snapshot
        if snapshot is None:
            return []
        rows = tier_rows(snapshot.traffic, snapshot.deployments, self.token_list)
        lines = [self._heading(snapshot), self.rule()]
        write = _price_writer(rows)
        lines += [self._row(f"({row.tier})" if row.assumed else row.tier, _tier_cells(row, write)) for row in rows]
        rest = cost_without_tokens(rows, snapshot.economy.cost)
        if rest is not None:
            cells = {"cost": Cell(formats.amount(rest)), "profit": Cell(formats.amount(-rest))}
            lines.append(self._row("no tokens", cells, beside="loading, other work, lost"))
        lines.append(self._idle(snapshot.economy.cost.idle))
        lines += [self.rule(), self._row("all", _all_cells(snapshot), bold=True)]
        return lines

    def _heading(self, snapshot: Snapshot) -> Line:
        line, sign = self.line(), formats.currency_sign(snapshot.currency).strip()
        line.put(MARGIN, "BY TIER", bold=True)
        for column, x in self._places():
            line.put(x, column.heading.format(sign), "quiet", width=column.width, right=True)
        return line

    def _idle(self, idle: Figure) -> Line:
        waste = bool(idle.value)
        role = "waste" if waste else "quiet"
        cells = {"cost": Cell(formats.figure(idle, formats.amount), role, of=FigurePath("economy", "cost.idle"))}
        if idle.value is not None:
            cells["profit"] = Cell(_signed(-idle.value), role, waste)
        return self._row("idle", cells, role, bold=waste, beside="nobody bought it")

    def _row(self, name: str, cells: Cells, role: str = "text", *, bold: bool = False, beside: str = "") -> Line:
        line = self.line()
        places = self._places()
        x = line.put(MARGIN, name, role, bold=bold, width=_NAME_CELLS)
        first = next((x for column, x in places if column.key == "tokens"), line.width)
        if beside and x + 3 + len(beside) < first - 1:
            x = line.put(x + 3, beside, role)
        for column, left in places:
            if left >= x or column.key in cells:
                cell = cells.get(column.key, Cell("") if beside and column.key in _PRICES else _NOTHING)
                line.put(left, cell.text, cell.role, bold=cell.bold, width=column.width, right=True, of=cell.of)
        return line

    def _places(self) -> list[tuple[Column, int]]:
        width = self.size.width
        shown = [column for column in _COLUMNS if width >= column.goes_below]
        x = width - MARGIN - sum(column.width for column in shown)
        places = []
        for column in shown:
            places.append((column, x))
            x += column.width
        return places


def _tier_cells(row: TierRow, write: Write) -> Cells:
    profit = row.profit_usd_per_hour
    return {
        "input": _price(row.usd_per_m_input, write),
        "output": _price(row.usd_per_m_output, write),
        "tokens": _cell(row.output_tokens_per_hour, _millions),
        "revenue": _cell(row.revenue_usd_per_hour, formats.amount),
        "cost": _cell(row.cost_usd_per_hour, formats.amount),
        "profit": _cell(profit, _signed, bold=True),
        "margin": _NOTHING if row.margin is None else Cell(formats.percent(row.margin), "quiet"),
    }


def _all_cells(snapshot: Snapshot) -> Cells:
    earns, output = snapshot.economy.earns, snapshot.economy.output_tok_s
    return {
        "input": Cell(""),
        "output": Cell(""),
        "tokens": _cell(output, lambda tok_s: _millions(tok_s * 3600), "output_tok_s", bold=True),
        "revenue": _cell(earns.revenue_usd_per_hour, formats.amount, "earns.revenue_usd_per_hour", bold=True),
        "cost": _cell(snapshot.economy.cost.total, formats.amount, "cost.total", bold=True),
        "profit": _cell(earns.profit_usd_per_hour, _signed, "earns.profit_usd_per_hour", bold=True),
        "margin": _cell(earns.margin, formats.percent, "earns.margin"),
    }


def _cell(figure: Figure, write: Write, field: str = "", *, bold: bool = False) -> Cell:
    if figure.value is None and not figure.infinite:
        return _NOTHING
    of = FigurePath("economy", field) if field else None
    return Cell(formats.figure(figure, write), "bright" if bold else "text", bold, of)


def _price(usd: float | None, write: Write) -> Cell:
    return _NOTHING if usd is None else Cell(write(usd), "quiet")


def _price_writer(rows: Sequence[TierRow]) -> Write:
    """Prices under one another have the same decimals: three where two would leave some out."""
    prices = (usd for row in rows for usd in (row.usd_per_m_input, row.usd_per_m_output) if usd)
    return (lambda usd: f"{usd:.3f}") if any(round(usd, 3) != round(usd, 2) for usd in prices) else formats.ratio


def _millions(tokens: float) -> str:
    return f"{tokens / 1e6:.1f}" if tokens < 999.95e6 else formats.count(tokens / 1e6)


def _signed(usd: float) -> str:
    return f"{'+' if usd > 0 else ''}{formats.amount(usd)}"
