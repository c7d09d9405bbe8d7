"""Traffic rows of a Snapshot by price tier; with what idle GPUs cost they add up to the cost of all GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tokwatch.ledger.economics.arithmetic import SECONDS_PER_HOUR
from tokwatch.ledger.economics.revenue import margin
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.money.shapes import CostPerHour, DeploymentRow, TrafficRow
from tokwatch.ledger.prices.token_prices import Tokens as TokenList

_A_CENT: Final = 0.005


@dataclass(frozen=True, slots=True)
class TierRow:
    """All tokens of one tier. List prices are the means of what was sold, over its models."""

    tier: str
    assumed: bool  # nothing names the tier of any of it
    usd_per_m_input: float | None
    usd_per_m_output: float | None
    output_tokens_per_hour: Figure
    revenue_usd_per_hour: Figure
    cost_usd_per_hour: Figure  # of GPUs at work
    profit_usd_per_hour: Figure
    margin: float | None


def tier_rows(
    traffic: Sequence[TrafficRow], deployments: Iterable[DeploymentRow], token_list: TokenList | None
) -> tuple[TierRow, ...]:
    """The dearest first. Of a deployment's cost, what its idle GPUs cost is nobody's: tiers bear the rest of it, each
    as it bears the whole."""
    at_work = {row.key: _at_work(row.economy.cost) for row in deployments}
    tiers = dict.fromkeys(row.tier for row in traffic)
    rows = [_tier(tier, [row for row in traffic if row.tier == tier], at_work, token_list) for tier in tiers]
    return tuple(sorted(rows, key=lambda row: (-(row.usd_per_m_output or 0.0), row.tier)))


def _tier(tier: str, rows: Sequence[TrafficRow], at_work: dict[str, float], token_list: TokenList | None) -> TierRow:
    cost = _added([_times(row.cost_usd_per_hour, at_work.get(row.deployment, 1.0)) for row in rows])
    revenue = _added([row.revenue_usd_per_hour for row in rows])
    profit = unknown(revenue.why or cost.why)
    if revenue.value is not None and cost.value is not None:
        profit = Figure(revenue.value - cost.value, marks=_marks((revenue, cost)))
    listed = [(row, prices) for row in rows if token_list and (prices := token_list.of(row.model, row.tier))]
    return TierRow(
        tier=tier,
        assumed=all(row.tier_source == "assumed" for row in rows),
        usd_per_m_input=_mean((row.prompt_tok_s.value or 0.0, prices.input) for row, prices in listed),
        usd_per_m_output=_mean((row.tok_s.value or 0.0, prices.output) for row, prices in listed),
        output_tokens_per_hour=_times(_added([row.tok_s for row in rows]), SECONDS_PER_HOUR),
        revenue_usd_per_hour=revenue,
        cost_usd_per_hour=cost,
        profit_usd_per_hour=profit,
        margin=margin(revenue.value, cost.value),
    )


def cost_without_tokens(rows: Sequence[TierRow], cost: CostPerHour) -> float | None:
    """What is left of the cost of all GPUs beside tiers and idleness: of GPUs that load, do other work, or are lost.

    None where that is not known, and where nothing is left.
    """
    if cost.total.value is None or cost.idle.value is None:
        return None
    rest = cost.total.value - cost.idle.value - sum(row.cost_usd_per_hour.value or 0.0 for row in rows)
    return rest if rest > _A_CENT else None


def _added(figures: Sequence[Figure]) -> Figure:
    """The sum of what is known, marked where that is not all; unknown where none is."""
    known = [each for each in figures if each.value is not None]
    if not known:
        return unknown(figures[0].why if figures else "nothing served")
    marks = {*_marks(known), *(("part",) if len(known) < len(figures) else ())}
    coverage = min(each.coverage for each in known)
    return Figure(sum(each.value or 0.0 for each in known), coverage=coverage, marks=tuple(sorted(marks)))


def _at_work(cost: CostPerHour) -> float:
    """The share of a cost that is of GPUs at work."""
    if not cost.total.value or cost.idle.value is None:
        return 1.0
    return 1 - cost.idle.value / cost.total.value


def _times(figure: Figure, factor: float) -> Figure:
    if figure.value is None:
        return figure
    return Figure(figure.value * factor, coverage=figure.coverage, marks=figure.marks)


def _marks(figures: Iterable[Figure]) -> tuple[str, ...]:
    return tuple(sorted({mark for figure in figures for mark in figure.marks}))


def _mean(parts: Iterable[tuple[float, float | None]]) -> float | None:
    """Of (tokens, price), by tokens; of one price that price, whatever was sold."""
    known = [(tokens, price) for tokens, price in parts if price is not None]
    if len({price for _, price in known}) == 1:
        return known[0][1]
    every = sum(tokens for tokens, _ in known)
    return sum(tokens * price for tokens, price in known) / every if every else None
