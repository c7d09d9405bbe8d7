"""What tokens earn at one moment: revenue, profit, margin, the worth of a request, and the price of an API."""

from __future__ import annotations

import math

from tokwatch.ledger.economics.arithmetic import ratio
from tokwatch.ledger.economics.break_even import self_or_api
from tokwatch.ledger.economics.demand import cached_prompt_share, per_request
from tokwatch.ledger.economics.revenue import blended_usd_per_m, margin, profit_usd, usd_per_hour_per_mw, usd_per_mwh
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.money.means import Means, marked, per_hour, per_second
from tokwatch.ledger.money.shapes import BreakEven, Earnings, PerRequest
from tokwatch.ledger.money.tallies import revenue_of
from tokwatch.ledger.prices.token_prices import NO_TOKEN_PRICES

NO_CARBON = "no carbon factor set"
NO_VALUE = "no value of a task set"
NO_LIMITS = "power limits not known"
NO_API_PRICE = "no API price set"


def earnings(of: Means) -> Earnings:
    revenue_s, whole = revenue_of(of.flows, of.token_list)
    revenue = per_hour(revenue_s)
    why = "" if of.token_list.prices else NO_TOKEN_PRICES
    earned = of.figure(revenue, of.output, why=why or "no price for these models")
    if not whole and earned.value is not None:
        earned = marked(earned, "part")
    cost = of.dollars(of.costs.parts.total)
    profit = profit_usd(earned.value, cost.value)
    limit_kw = None if of.costs.limit_w is None else of.costs.limit_w / 1000
    worth = _task_value(of)
    return Earnings(
        revenue_usd_per_hour=earned,
        profit_usd_per_hour=of.figure(profit, earned, cost),
        margin=of.figure(margin(earned.value, cost.value), earned, cost, why="nothing earned"),
        profit_usd_per_mwh=of.figure(
            usd_per_mwh(profit, None if of.facility.value is None else of.facility.value / 1000),
            earned,
            cost,
            of.facility,
        ),
        profit_usd_per_hour_per_mw=of.figure(
            usd_per_hour_per_mw(profit, limit_kw), earned, cost, why="" if limit_kw else NO_LIMITS
        ),
        task_value_usd_per_hour=worth,
        task_profit_usd_per_hour=of.figure(profit_usd(worth.value, cost.value), worth, cost),
    )


def _task_value(of: Means) -> Figure:
    valued = [
        value * flow.finished_s
        for flow in of.flows
        if flow.finished_s is not None and (value := of.token_list.task_value(flow.model)) is not None
    ]
    return of.figure(per_hour(sum(valued)) if valued else None, of.finished, why=NO_VALUE)


def request(of: Means) -> PerRequest:
    carbon = of.moment.rates.facility.carbon
    cost = of.dollars(of.costs.parts.total)
    mean = per_request(
        of.finished.value,
        of.tokens,
        per_second(of.costs.total),
        of.facility.value,
        carbon.g_per_kwh if carbon else None,
    )
    worth = _task_value(of)
    value = ratio(per_second(worth.value), of.finished.value)
    return PerRequest(
        prompt_tokens=of.ratio(mean.prompt_tokens, of.finished, of.prompt),
        output_tokens=of.ratio(mean.output_tokens, of.finished, of.output),
        cached_share=of.ratio(cached_prompt_share(of.tokens), of.of_prompt),
        usd=of.ratio(mean.usd, of.finished, cost),
        wh=of.ratio(mean.wh, of.finished, of.facility),
        gco2e=of.ratio(mean.gco2e, of.finished, of.facility, why="" if carbon else NO_CARBON),
        value_usd=of.ratio(value, of.finished, worth),
        profit_usd=of.ratio(profit_usd(value, _finite(mean.usd)), of.finished, worth, cost),
    )


def against_api(of: Means) -> BreakEven:
    models = {flow.model for flow in of.flows if flow.tokens.total}
    offers = [offer for model in models if (offer := of.token_list.api_price(model)) is not None]
    if len(models) != 1 or not offers:
        return BreakEven(unknown(NO_API_PRICE))
    cost = of.dollars(of.costs.parts.total)
    found = self_or_api(cost.value, blended_usd_per_m(of.tokens, offers[0]))
    tok_s = of.ratio(found.tok_per_s, cost, of.output, of.of_prompt, why=found.why_none)
    return BreakEven(tok_s=tok_s, assumptions=found.assumptions)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
