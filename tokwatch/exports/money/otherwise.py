"""The period as it would have been: at other prices, tariffs and loads, or with another mix of models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from tokwatch.exports.errors import ExportError
from tokwatch.exports.money.account import Account
from tokwatch.exports.money.report import Mix, Statement, WhatIf, WhatIfLine
from tokwatch.exports.money.statement import NO_TOKENS
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.arithmetic import ratio
from tokwatch.ledger.economics.energy import J_PER_KWH
from tokwatch.ledger.economics.model_mix import model_mix
from tokwatch.ledger.economics.revenue import NO_PRICES, TokenPrices
from tokwatch.ledger.economics.token_cost import Split, Tokens
from tokwatch.ledger.economics.what_if import ASSUMPTIONS, Economics, what_if
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.prices.facility import Facility

CHANGES = ("gpu_price", "token_price", "tariff", "pue", "utilisation")
NO_PUE = "no PUE is set: one of 1 stands before the change"
_FLOOR = "where the load changes: what its GPUs draw idle, and they never were"
_MJ_PER_KWH = J_PER_KWH * 1000
_LINES = {
    "fixed cost (rent, capital, opex, space)": "fixed_usd",
    "electricity": "energy_usd",
    "cost": "cost_usd",
    "cost per M tokens, blended": "usd_per_m",
    "cost per M output tokens": "usd_per_m_output",
    "electricity per M tokens, blended": "usd_per_m_marginal",
    "revenue": "revenue_usd",
    "profit": "profit_usd",
    "margin": "margin",
}


def parse_changes(text: str) -> dict[str, float]:
    """gpu_price=0.8,pue=1.1 as numbers. Raises ExportError."""
    changes: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        try:
            changes[name] = float(value)
        except ValueError:
            raise ExportError(f"--what-if {part.strip()!r}: write a name and a number such as gpu_price=0.8") from None
        if name not in CHANGES or not math.isfinite(changes[name]):
            raise ExportError(f"--what-if {part.strip()!r}: what can change is {', '.join(CHANGES)}")
    return changes


def at_other_terms(whole: Account, facility: Facility, changes: dict[str, float]) -> WhatIf:
    """Each line before and after. Raises ExportError for a factor or PUE that cannot be."""
    now = economics(whole, facility)
    try:
        after = what_if(now, **changes)
    except ValueError as error:
        raise ExportError(f"--what-if {error}") from None
    lines = tuple(
        WhatIfLine(name, _figure(getattr(now, field)), _figure(getattr(after, field), _FLOOR))
        for name, field in _LINES.items()
    )
    missing = (NO_PUE,) if "pue" in changes and facility.pue is None else ()
    return WhatIf(changes, lines, (*ASSUMPTIONS, *missing))


def economics(whole: Account, facility: Facility) -> Economics:
    """An account as what-if knows it: one fixed cost, one price of electricity, one price of a token.

    Its means are those of the period, so that cost and revenue before the change are the report's own.
    """
    charges, made = whole.charges, whole.made
    tokens, parts = made.all_tokens, charges.parts
    metered = Charges(
        busy={rate: amount for rate, amount in charges.busy.items() if rate.metered and rate.usd_per_kwh is not None},
        idle={rate: amount for rate, amount in charges.idle.items() if rate.metered and rate.usd_per_kwh is not None},
    )
    pue = facility.pue or 1.0
    board_kwh = (metered.energy_mj or 0) / _MJ_PER_KWH
    sold = ratio(None if made.revenue_usd is None else made.revenue_usd * 1e6, tokens.total)
    return Economics(
        fixed_usd=None if parts is None else parts.total - parts.energy,
        board_kwh=board_kwh,
        board_floor_kwh=_floor_kwh(metered),
        host_kwh=(metered.facility_kwh or 0.0) / pue - board_kwh,
        pue=pue,
        usd_per_kwh=(ratio(metered.energy_usd, metered.facility_kwh) or 0.0)
        if charges.energy_usd is not None
        else None,
        tokens=tokens,
        prices=NO_PRICES if sold is None else TokenPrices(sold, sold, None, sold),
    )


def _floor_kwh(metered: Charges) -> float | None:
    """What the boards would have drawn idle all the time, at the power of their idle time; None without such."""
    if metered.empty:
        return 0.0
    idle = Charges(busy=metered.idle)
    drawn_ms = sum(amount.drawn_ms for amount in idle.by_rate.values())
    every_ms = sum(amount.drawn_ms for amount in metered.by_rate.values())
    return None if not drawn_ms else (idle.energy_mj or 0) / _MJ_PER_KWH * every_ms / drawn_ms


def _figure(value: float | None, why: str = "") -> Figure:
    if value is not None and math.isinf(value):
        return Figure(None, NO_TOKENS, infinite=True)
    return unknown(why or "not known of the period") if value is None else Figure(value)


def parse_mix(text: str) -> tuple[str, str, float]:
    """LARGE=SMALL:30 as (large, small, 0.3). Raises ExportError."""
    models, _, percent = text.rpartition(":")
    large, _, small = models.partition("=")
    try:
        share = float(percent.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not large or not small or not 0 <= share <= 1:
        raise ExportError(f"--mix {text!r}: write LARGE=SMALL:30 for 30 % of the large model's tokens on the small one")
    return large.strip(), small.strip(), share


def other_mix(by_model: Iterable[Statement], wanted: tuple[str, str, float]) -> Mix:
    """A share of the large model's tokens at what those of the small one cost. Raises ExportError for other models."""
    rows = {row.name: row for row in by_model if not row.name.startswith("(")}
    large, small = (_named(name, rows) for name in wanted[:2])
    found = model_mix(_tokens(large), _split(large), _split(small), wanted[2])
    unknown_cost = "no cost of a token of one of the models"
    return Mix(
        large=large.name,
        small=small.name,
        share=found.share,
        before_usd=_figure(found.usd_before, unknown_cost),
        after_usd=_figure(found.usd_after, unknown_cost),
        saved_usd=_figure(found.usd_saved, unknown_cost),
        assumptions=found.assumptions,
    )


def _named(name: str, rows: Mapping[str, Statement]) -> Statement:
    fitting = [row for each, row in rows.items() if name in (each, each.rstrip("/").rsplit("/", 1)[-1])]
    if len(fitting) != 1:
        raise ExportError(f"--mix: {name!r} is no model of this period; there are: {', '.join(sorted(rows)) or 'none'}")
    return fitting[0]


def _tokens(row: Statement) -> Tokens:
    served = row.served
    return Tokens(*(each.value or 0.0 for each in (served.input_tokens, served.cached_tokens, served.output_tokens)))


def _split(row: Statement) -> Split:
    costs = row.costs
    return Split(costs.usd_per_m_input.value, costs.usd_per_m_cached.value, costs.usd_per_m_output.value)
