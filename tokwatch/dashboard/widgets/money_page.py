"""The money of this moment in full, read from top to bottom: the bill, what a token costs, whom it is for, requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.dashboard.widgets.gpu_list import put_rule
from tokwatch.dashboard.widgets.money_names import gpus_beside, short
from tokwatch.ledger.money.shapes import Economy, TrafficRow
from tokwatch.ledger.snapshot import Figure, Snapshot

_NAME_WIDTH = 29  # columns
_BESIDE = MARGIN + _NAME_WIDTH + 11  # column of the words beside an amount
_WIDE = 100  # from this width on there is room for every column
_UNTAGGED = "(untagged)"  # nothing names its tenant
_PARTS = ("rent", "capex", "opex", "space", "energy")


class Column(NamedTuple):
    """A column of figures, or of words."""

    heading: str
    width: int
    wide: bool = False  # only where there is room
    words: bool = False


class MoneyPage(Document):
    """Everything that the tiles and tables leave out."""

    DEFAULT_CSS = """
    MoneyPage { position: absolute; margin: 0; }
    """

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            page.text(MARGIN, f"{glyphs.ABSENT} {self.frame.starting}")
            return
        wide = self.size.width >= _WIDE
        _write_bill(page, snapshot)
        _write_deployments(page, snapshot, wide)
        _write_traffic(page, snapshot, wide)
        _write_requests(page, snapshot, wide)


# --- the bill ---------------------------------------------------------------------------------------------------------


def _write_bill(page: Page, snapshot: Snapshot) -> None:
    """Parts that add up to the cost, and what is left of the revenue after it; what each rests on beside it."""
    whole, sign = snapshot.economy, formats.currency_sign(snapshot.currency)
    cost, earns = whole.cost, whole.earns
    page.heading("THE BILL", f"{sign.strip()} per hour, {snapshot.price or 'no price set: $ sets one'}")
    for name in _PARTS:
        if (part := getattr(cost, name)).value:
            _bill_row(page, name, part, _power(snapshot) if name == "energy" else "")
    if cost.total.value is not None:
        put_rule(page.line())
    _bill_row(page, "all", cost.total, bold=True)
    if cost.total.value is not None:
        dearer = cost.idle_tax.value and f"makes every token {formats.percent(cost.idle_tax.value)} % dearer"
        _bill_row(page, "of it idle", cost.idle, dearer or "", "waste" if cost.idle.value else "text")
    if not cost.energy.value:
        _note_row(page, "power", _power(snapshot))
    _bill_row(page, "revenue", earns.revenue_usd_per_hour)
    if earns.profit_usd_per_hour.value is not None:
        margin = _told(earns.margin, lambda share: f"{formats.percent(share)} % margin")
        per_mwh = _told(earns.profit_usd_per_mwh, lambda usd: formats.money(usd, sign))
        _bill_row(page, "profit", earns.profit_usd_per_hour, f"{margin}, {per_mwh} per MWh", bold=True)
    if whole.gco2e_per_hour.value is not None:
        _note_row(page, "carbon", f"{formats.short(whole.gco2e_per_hour.value)} gCO2e per hour, {whole.carbon}")


def _bill_row(
    page: Page, name: str, figure: Figure, beside: str = "", role: str = "text", *, bold: bool = False
) -> None:
    line = page.line()
    line.put(MARGIN, name, role, bold=bold)
    known = figure.value is not None
    role = "faint" if not known else "bright" if bold else role
    line.put(MARGIN + _NAME_WIDTH, _told(figure, formats.amount), role, bold=bold and known, width=9, right=True)
    page.beside(line, _BESIDE, beside if known else figure.why)


def _note_row(page: Page, name: str, words: str) -> None:
    line = page.line()
    line.put(MARGIN, name)
    page.beside(line, _BESIDE, words)


def _power(snapshot: Snapshot) -> str:
    """What the energy is reckoned from."""
    whole = snapshot.economy
    if whole.board_w.value is None:
        return whole.board_w.why
    power = f"{_told(whole.board_w, formats.count)} W board"
    if whole.energy_basis != "board":
        power += f", {_told(whole.facility_w, formats.count)} W {whole.energy_basis}"
    tariff = whole.usd_per_kwh
    sign = formats.currency_sign(snapshot.currency)
    return f"{power}, {tariff.why if tariff.value is None else f'{sign}{tariff.value:g} per kWh now'}"


# --- what a token costs -----------------------------------------------------------------------------------------------

_OF_TOKENS = (
    Column("{}/H", 9),
    Column("OUT TOK/S", 12, wide=True),
    Column("OUT ONLY", 11),
    Column("BLENDED", 10),
    Column("IN", 9, wide=True),
    Column("CACHED", 9, wide=True),
    Column("OUT", 9, wide=True),
    Column("ELECTRIC", 11),
)


def _write_deployments(page: Page, snapshot: Snapshot, wide: bool) -> None:
    sign = formats.currency_sign(snapshot.currency)
    splits = sorted({row.economy.tokens.split_by for row in snapshot.deployments if row.servers} - {""})
    beside = f"{sign.strip()} per million; in, cached and out add up to the cost, by {' and '.join(splits)}"
    page.heading("WHAT A TOKEN COSTS", beside if wide and splits else f"{sign.strip()} per million")
    rows = list(_deployment_rows(snapshot))
    _write_table(page, _OF_TOKENS, rows, _token_cells(snapshot.economy), wide, sign)


def _deployment_rows(snapshot: Snapshot) -> Iterator[_Row]:
    beside = gpus_beside(snapshot)
    for row in snapshot.deployments:
        role = "text" if row.servers else "waste"
        name = short(row.name) + beside[row.key]
        yield _Row(name, _token_cells(row.economy), role, row.economy.implausible)


def _token_cells(of: Economy) -> list[str]:
    tokens = of.tokens
    costs = (tokens.output_only, tokens.blended, tokens.input, tokens.cached, tokens.output, tokens.marginal)
    rates = [_told(of.cost.total, formats.amount), _told(of.output_tok_s, formats.count)]
    return [*rates, *(_told(cost, formats.per_million) for cost in costs)]


# --- what it earns ----------------------------------------------------------------------------------------------------

_OF_TRAFFIC = (
    Column("TIER", 14, words=True),
    Column("OUT TOK/S", 11, wide=True),
    Column("PROMPT TOK/S", 14, wide=True),
    Column("COST", 9),
    Column("REVENUE", 10),
    Column("PROFIT", 10),
)


def _write_traffic(page: Page, snapshot: Snapshot, wide: bool) -> None:
    if not snapshot.traffic:
        return
    sign = formats.currency_sign(snapshot.currency)
    assumed = any(row.tier_source == "assumed" for row in snapshot.traffic)
    page.heading("WHO IT IS FOR", f"{sign.strip()} per hour{'; (tier): assumed, nothing names it' if assumed else ''}")
    beside = gpus_beside(snapshot)
    rows = [_Row(_traffic_name(row, beside), _traffic_cells(row)) for row in snapshot.traffic]
    for left_over in snapshot.deployments:
        if not left_over.servers:
            cost = left_over.economy.cost.total
            lost = Figure(None, cost.why) if cost.value is None else Figure(-cost.value)
            absent = glyphs.ABSENT
            cells = ["nobody's", absent, absent, _told(cost, formats.amount), absent, _told(lost, formats.amount)]
            rows.append(_Row(left_over.name, cells, "waste"))
    _write_table(page, _OF_TRAFFIC, rows, _all_cells(snapshot), wide, sign)


def _traffic_name(row: TrafficRow, beside: Mapping[str, str]) -> str:
    model = short(row.model) + beside.get(row.deployment, "")
    return model if row.tenant == _UNTAGGED else f"{model}, {row.tenant}"


def _traffic_cells(row: TrafficRow) -> list[str]:
    return [
        f"({row.tier})" if row.tier_source == "assumed" else row.tier,
        _told(row.tok_s, formats.count),
        _told(row.prompt_tok_s, formats.count),
        _told(row.cost_usd_per_hour, formats.amount),
        _told(row.revenue_usd_per_hour, formats.amount),
        _told(row.profit_usd_per_hour, formats.amount),
    ]


def _all_cells(snapshot: Snapshot) -> list[str]:
    whole = snapshot.economy
    return [
        "",
        _told(whole.output_tok_s, formats.count),
        "",
        _told(whole.cost.total, formats.amount),
        _told(whole.earns.revenue_usd_per_hour, formats.amount),
        _told(whole.earns.profit_usd_per_hour, formats.amount),
    ]


# --- requests ---------------------------------------------------------------------------------------------------------

_OF_REQUESTS = (
    Column("{}/1000", 9),
    Column("WH", 8),
    Column("PROMPT", 9),
    Column("OUTPUT", 9),
    Column("CACHED %", 11, wide=True),
    Column("WORTH {}/1000", 15, wide=True),
    Column("LEAVES", 9, wide=True),
)


def _write_requests(page: Page, snapshot: Snapshot, wide: bool) -> None:
    sign = formats.currency_sign(snapshot.currency)
    page.heading("A REQUEST", "the mean of the finished ones")
    beside = gpus_beside(snapshot)
    served = [row for row in snapshot.deployments if row.servers]
    rows = [_request_row(short(row.name) + beside[row.key], row.economy) for row in served]
    if not rows:
        page.text(MARGIN, f"{glyphs.ABSENT} no server is on a {snapshot.device}")
    elif all(row.why for row in rows):
        page.text(MARGIN, f"{glyphs.ABSENT} {rows[0].why}")
    else:
        _write_table(page, _OF_REQUESTS, rows, None, wide, sign)
    tokens = snapshot.economy.tokens
    if tokens.useful.low is not None or tokens.useful.high is not None:
        useful = formats.interval(tokens.useful, formats.per_million)
        page.text(MARGIN, f"{sign}{useful} per million output tokens within the SLO", "text")
    if tokens.saved_by_cache_usd_per_hour.value:
        saved = _told(tokens.saved_by_cache_usd_per_hour, lambda usd: formats.money(usd, sign))
        page.text(MARGIN, f"{saved} per hour saved by the prefix cache, an estimate", "text")


def _request_row(name: str, of: Economy) -> _Row:
    request = of.request
    cells = [
        _told(request.usd, _per_thousand),
        _told(request.wh, formats.ratio),
        _told(request.prompt_tokens, formats.count),
        _told(request.output_tokens, formats.count),
        _told(request.cached_share, formats.percent),
        _told(request.value_usd, _per_thousand),
        _told(request.profit_usd, _per_thousand),
    ]
    return _Row(name, cells, why=request.prompt_tokens.why if request.prompt_tokens.value is None else "")


def _per_thousand(usd: float) -> str:
    """Of a thousand requests; fractions of a cent with three figures."""
    usd *= 1000
    return f"{usd:.3g}" if abs(usd) < 0.1 else formats.amount(usd)


# --- tables -----------------------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    name: str
    cells: Sequence[str]
    role: str = "text"
    why: str = ""  # what is wrong with it


def _write_table(
    page: Page, columns: Sequence[Column], rows: Sequence[_Row], closing: Sequence[str] | None, wide: bool, sign: str
) -> None:
    headings = [column.heading.format(sign.strip()) for column in columns]
    _put_row(page, _Row("", headings, "quiet"), columns, wide)
    for row in rows:
        _put_row(page, row, columns, wide)
        if row.why:
            page.text(MARGIN + 2, row.why, "quiet" if closing is None else "alarm")
    if closing is not None:
        put_rule(page.line())
        _put_row(page, _Row("all", closing, "bright"), columns, wide)


def _put_row(page: Page, row: _Row, columns: Sequence[Column], wide: bool) -> None:
    line, bold = page.line(), row.role == "bright"
    line.put(MARGIN, row.name, row.role, width=_NAME_WIDTH - 1, bold=bold)
    x = MARGIN + _NAME_WIDTH
    for text, column in zip(row.cells, columns, strict=True):
        if column.wide and not wide:
            continue
        role = "faint" if text == glyphs.ABSENT else row.role
        line.put(x, text, role, width=column.width, right=not column.words, bold=bold)
        x += column.width


def _told(figure: Figure, write: Callable[[float], str]) -> str:
    return formats.figure(figure, write)
