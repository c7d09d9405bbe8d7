"""The money of this moment in full, read from top to bottom: the bill, what a token costs, whom it is for, requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.ledger.money.shapes import Economy, TrafficRow
from tokwatch.ledger.snapshot import Figure, Snapshot

_NAME, _NAME_WIDTH = 4, 26  # columns
_WIDE = 100  # from this width on there is room for every column
_UNTAGGED = "(untagged)"  # nothing names its tenant
_PARTS = ("rent", "capex", "opex", "space", "energy")


class Column(NamedTuple):
    """A column of figures."""

    heading: str
    width: int
    wide: bool = False  # only where there is room


class MoneyPage(Document):
    """Everything that the tiles and tables leave out."""

    DEFAULT_CSS = """
    MoneyPage { position: absolute; margin: 0; }
    """

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            page.text(1, f"{glyphs.ABSENT} {self.frame.starting}")
            return
        wide = self.size.width >= _WIDE
        _write_bill(page, snapshot)
        _write_deployments(page, snapshot, wide)
        _write_traffic(page, snapshot, wide)
        _write_request(page, snapshot)


# --- the bill ---------------------------------------------------------------------------------------------------------


def _write_bill(page: Page, snapshot: Snapshot) -> None:
    whole, sign = snapshot.economy, formats.currency_sign(snapshot.currency)
    page.heading("COST PER HOUR", snapshot.price or "no price set: $ sets one")
    if whole.cost.total.value is None:
        page.fact("all in", f"{glyphs.ABSENT} {whole.cost.total.why}", "quiet")
    else:
        parts = [(name, getattr(whole.cost, name)) for name in _PARTS]
        told = [f"{name} {_money(figure, sign)}" for name, figure in parts if figure.value]
        page.fact("all in", f"{_money(whole.cost.total, sign)}: {', '.join(told) or 'nothing'}")
        idle = f"{_money(whole.cost.idle, sign)}"
        if whole.cost.idle_tax.value:
            idle += f", which makes every token {formats.percent(whole.cost.idle_tax.value)} % dearer"
        page.fact("of it idle", idle, "waste" if whole.cost.idle.value else "text")
    earns = whole.earns
    if earns.revenue_usd_per_hour.value is None:
        page.fact("revenue", f"{glyphs.ABSENT} {earns.revenue_usd_per_hour.why}", "quiet")
    else:
        margin = _told(earns.margin, lambda share: f"{formats.percent(share)} % margin")
        page.fact("revenue", f"{_money(earns.revenue_usd_per_hour, sign)}, {margin}")
        per_mwh = _money(earns.profit_usd_per_mwh, sign)
        page.fact("profit", f"{_money(earns.profit_usd_per_hour, sign)}, {per_mwh} a MWh {whole.energy_basis}")
    if whole.board_w.value is None:
        page.fact("power", f"{glyphs.ABSENT} {whole.board_w.why}", "quiet")
    else:
        power = f"{_told(whole.board_w, formats.count)} W board"
        if whole.energy_basis != "board":
            power += f", {_told(whole.facility_w, formats.count)} W {whole.energy_basis}"
        page.fact("power", power)
    if whole.usd_per_kwh.value is None:
        page.fact("electricity", f"{glyphs.ABSENT} {whole.usd_per_kwh.why}", "quiet")
    else:
        page.fact("electricity", f"{sign}{whole.usd_per_kwh.value:g} a kWh now")
    if whole.gco2e_per_hour.value is not None:
        page.fact("carbon", f"{formats.short(whole.gco2e_per_hour.value)} gCO2e an hour, {whole.carbon}", "quiet")


# --- what a token costs -----------------------------------------------------------------------------------------------

_OF_TOKENS = (
    Column("$/h", 9),
    Column("OUT tok/s", 11, wide=True),
    Column("OUT ONLY", 10),
    Column("BLENDED", 9),
    Column("in", 8, wide=True),
    Column("cached", 8, wide=True),
    Column("out", 8, wide=True),
    Column("ELECTRIC", 10),
)


def _write_deployments(page: Page, snapshot: Snapshot, wide: bool) -> None:
    sign = formats.currency_sign(snapshot.currency)
    splits = {row.economy.tokens.split_by for row in snapshot.deployments if row.servers}
    beside = f"{sign} per million; in, cached and out add up to the cost, by {' and '.join(sorted(splits))}"
    page.heading("WHAT A TOKEN COSTS", beside if wide and splits else f"{sign} per million")
    _row(page, "", [column.heading for column in _OF_TOKENS], _OF_TOKENS, wide, "quiet")
    for row in snapshot.deployments:
        _row(page, row.name, _token_cells(row.economy), _OF_TOKENS, wide)
        if row.economy.implausible:
            page.text(_NAME + 2, row.economy.implausible, "alarm")
    _row(page, "all", _token_cells(snapshot.economy), _OF_TOKENS, wide, "bright")


def _token_cells(of: Economy) -> list[str]:
    tokens = of.tokens
    costs = (tokens.output_only, tokens.blended, tokens.input, tokens.cached, tokens.output, tokens.marginal)
    rates = [_told(of.cost.total, formats.amount), _told(of.output_tok_s, formats.count)]
    return [*rates, *(_told(cost, formats.per_million) for cost in costs)]


# --- what it earns ----------------------------------------------------------------------------------------------------

_OF_TRAFFIC = (
    Column("TIER", 14),
    Column("OUT tok/s", 11, wide=True),
    Column("PROMPT tok/s", 14, wide=True),
    Column("COST/h", 9),
    Column("REVENUE/h", 11),
    Column("PROFIT/h", 10),
)


def _write_traffic(page: Page, snapshot: Snapshot, wide: bool) -> None:
    if not snapshot.traffic:
        return
    assumed = any(row.tier_source == "assumed" for row in snapshot.traffic)
    page.heading("WHO IT IS FOR", "(tier): assumed, nothing names it" if assumed else "")
    _row(page, "", [column.heading for column in _OF_TRAFFIC], _OF_TRAFFIC, wide, "quiet")
    for row in snapshot.traffic:
        _row(page, _traffic_name(row), _traffic_cells(row), _OF_TRAFFIC, wide)
    for left_over in snapshot.deployments:
        if not left_over.servers:
            cells = ["nobody's", "", "", _told(left_over.economy.cost.total, formats.amount), "", ""]
            _row(page, left_over.name, cells, _OF_TRAFFIC, wide, "waste")
    _row(page, "all", _all_cells(snapshot), _OF_TRAFFIC, wide, "bright")


def _traffic_name(row: TrafficRow) -> str:
    model = row.model.rstrip("/").rsplit("/", 1)[-1]
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


def _write_request(page: Page, snapshot: Snapshot) -> None:
    sign = formats.currency_sign(snapshot.currency)
    page.heading("REQUESTS", "means of the finished ones")
    if not any(row.servers for row in snapshot.deployments):
        page.text(_NAME, f"{glyphs.ABSENT} no server is on a {snapshot.device}")
    for row in snapshot.deployments:
        request = row.economy.request
        if not row.servers:
            continue
        if request.prompt_tokens.value is None:
            page.line().put(_NAME, row.name, bold=True)
            page.text(_NAME + 2, f"{glyphs.ABSENT} {request.prompt_tokens.why}")
            continue
        told = [
            f"{sign}{_told(request.usd, lambda usd: _small(usd * 1000))} a thousand"
            if request.usd.value is not None
            else f"{glyphs.ABSENT} cost: {request.usd.why}",
            f"{_told(request.wh, formats.ratio)} Wh {row.economy.energy_basis}",
            f"{_told(request.prompt_tokens, formats.count)} prompt and "
            f"{_told(request.output_tokens, formats.count)} output tokens",
        ]
        if request.cached_share.value is not None:
            told.append(f"{formats.percent(request.cached_share.value)} % of the prompt cached")
        if request.profit_usd.value is not None and request.value_usd.value is not None:
            told.append(f"leaves {sign}{_small(request.profit_usd.value)} of {sign}{_told(request.value_usd, _small)}")
        page.line().put(_NAME, row.name, bold=True)
        page.text(_NAME + 2, "; ".join(told), "text")
    useful = snapshot.economy.tokens.useful
    if useful.low is not None or useful.high is not None:
        page.fact(
            "useful", f"{sign}{formats.interval(useful, formats.per_million)} per million output tokens within the SLO"
        )
    saved = snapshot.economy.tokens.saved_by_cache_usd_per_hour
    if saved.value:
        page.fact("cache saves", f"{_money(saved, sign)} an hour, an estimate")


def _row(
    page: Page, name: str, cells: Sequence[str], columns: Sequence[Column], wide: bool, role: str = "text"
) -> None:
    line = page.line()
    line.put(_NAME, name, role, width=_NAME_WIDTH - 1, bold=role == "bright")
    x = _NAME + _NAME_WIDTH
    for text, column in zip(cells, columns, strict=True):
        if column.wide and not wide:
            continue
        line.put(x, text, role, width=column.width - 1, right=True)
        x += column.width


def _told(figure: Figure, write: Callable[[float], str]) -> str:
    return formats.figure(figure, write)


def _money(figure: Figure, sign: str) -> str:
    return formats.figure(figure, lambda usd: formats.money(usd, sign))


def _small(usd: float) -> str:
    """Fractions of a cent, with three figures."""
    return f"{usd:.3g}" if abs(usd) < 0.1 else formats.amount(usd)
