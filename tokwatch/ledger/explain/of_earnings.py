"""Figures of what tokens earn, and of what one request takes and leaves."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.of_money import LIST, OUTPUT, TOKENS, TOTAL, of_total

EARNS: Final = {
    "earns.revenue_usd_per_hour": Explained(
        "revenue",
        "$/h",
        "sold_usd_per_hour",
        "Tokens of each model, tier and kind × the list of token prices; within a company, what they would fetch.",
        reads=TOKENS,
        change=LIST,
    ),
    "earns.profit_usd_per_hour": of_total(
        "profit",
        "$/h",
        "revenue - total",
        "Revenue less cost.",
        revenue="earns.revenue_usd_per_hour",
        **TOTAL,
    ),
    "earns.margin": of_total(
        "margin",
        "share",
        "(revenue - total) / revenue",
        "Profit over revenue.",
        revenue="earns.revenue_usd_per_hour",
        **TOTAL,
    ),
    "earns.profit_usd_per_mwh": of_total(
        "profit of a megawatt-hour",
        "$/MWh",
        "profit / (facility_w / 1e6)",
        "Profit an hour over the megawatts drawn; Sources says which watts are counted.",
        profit="earns.profit_usd_per_hour",
        facility_w="facility_w",
    ),
    "earns.profit_usd_per_hour_per_mw": of_total(
        "profit an hour of a megawatt",
        "$/h/MW",
        "profit / (provisioned_w / 1e6)",
        "Profit an hour over the boards' power limits, which is what must be provisioned.",
        profit="earns.profit_usd_per_hour",
    ),
    "earns.task_value_usd_per_hour": Explained(
        "worth of the tasks done",
        "$/h",
        "tasks_usd_per_hour",
        "Finished requests × what one is worth to its user.",
        reads=("finished",),
        change=("[[prices.tasks]]",),
    ),
    "earns.task_profit_usd_per_hour": of_total(
        "worth less cost",
        "$/h",
        "worth - total",
        "The worth of the tasks less the cost.",
        worth="earns.task_value_usd_per_hour",
        **TOTAL,
    ),
}
_OF_REQUESTS: Final = {"requests_s": "requests_s"}
REQUEST: Final = {
    "request.prompt_tokens": of_total(
        "prompt of a request", "tokens", "prompt_tok_s / requests_s", "Mean of finished requests.", **_OF_REQUESTS
    ),
    "request.output_tokens": of_total(
        "output of a request",
        "tokens",
        "output_tok_s / requests_s",
        "Mean of finished requests.",
        **_OF_REQUESTS,
        **OUTPUT,
    ),
    "request.cached_share": of_total(
        "cached share of prompts", "share", "cached_tok_s / prompt_tok_s", "Of prompt tokens, those from the cache."
    ),
    "request.usd": of_total(
        "cost of a request",
        "$",
        "total / 3600 / requests_s",
        "Idle time and failed requests are paid for by those that were served.",
        **TOTAL,
        **_OF_REQUESTS,
    ),
    "request.wh": of_total(
        "energy of a request",
        "Wh",
        "facility_w / 3600 / requests_s",
        "Watts, idle ones included, over finished requests.",
        facility_w="facility_w",
        **_OF_REQUESTS,
    ),
    "request.gco2e": of_total(
        "carbon of a request",
        "g CO2e",
        "gco2e_per_hour / 3600 / requests_s",
        "Carbon an hour over finished requests.",
        gco2e_per_hour="gco2e_per_hour",
        **_OF_REQUESTS,
    ),
    "request.value_usd": of_total(
        "worth of a request",
        "$",
        "worth / 3600 / requests_s",
        "Mean of finished requests.",
        worth="earns.task_value_usd_per_hour",
        **_OF_REQUESTS,
    ),
    "request.profit_usd": of_total(
        "worth of a request less its cost",
        "$",
        "value_usd - usd",
        "Mean of finished requests.",
        value_usd="request.value_usd",
        usd="request.usd",
    ),
}
