"""Figures of cost by part, and of what tokens cost."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.of_devices import PRICE

TOKENS: Final = ("prompt_tokens", "cached_tokens", "output_tokens")
LIST: Final = ("[[prices.tokens]]", "[prices.tiers]")
METER: Final = ("[prices.electricity]", "[prices.facility]")
TOTAL: Final = {"total": "cost.total"}
OUTPUT: Final = {"output_tok_s": "output_tok_s"}
_WEIGHTED: Final = "total / (weighted_tok_s * 3600) * 1e6 * {}_weight"


def _part(words: str, means: str) -> Explained:
    return Explained(words, "$/h", "part_usd_per_hour", means, change=PRICE, over="now")


def _split(words: str, name: str) -> Explained:
    return Explained(
        words,
        "$/M",
        _WEIGHTED.format(name),
        "All of the cost divided over input, cached and output tokens by the weight that token prices give each kind.",
        terms=TOTAL,
        reads=TOKENS,
        change=(*PRICE, *LIST),
    )


def of_total(words: str, unit: str, formula: str, means: str, **terms: str) -> Explained:
    """A figure of money and tokens, by the names in its formula."""
    return Explained(words, unit, formula, means, terms=terms, reads=TOKENS, change=(*PRICE, *LIST))


COST: Final = {
    "cost.rent": _part("rent", "What is paid for GPUs by the hour."),
    "cost.capex": _part("depreciation", "The price of own GPUs spread over the hours of their life."),
    "cost.opex": _part("upkeep", "Support, spares and staff of own GPUs."),
    "cost.space": _part("space", "Colocation of own GPUs."),
    "cost.energy": Explained(
        "electricity",
        "$/h",
        "part_usd_per_hour",
        "Where it is paid for by itself: watts at the building's meter over the window × the tariff of now.",
        reads=("energy_mj",),
        change=METER,
    ),
    "cost.total": Explained(
        "cost of an hour",
        "$/h",
        "rent + capex + opex + space + energy",
        "Everything that is paid for the GPUs, idle or not.",
        terms={name: f"cost.{name}" for name in ("rent", "capex", "opex", "space", "energy")},
        change=(*PRICE, *METER),
        over="now",
    ),
    "cost.idle": Explained(
        "cost of idle GPUs",
        "$/h",
        "idle_part_usd_per_hour",
        "Of the cost, that of GPUs that are parked, held, free or left out by a router.",
        change=PRICE,
        over="now",
    ),
    "cost.idle_energy": Explained(
        "electricity of idle GPUs",
        "$/h",
        "idle_part_usd_per_hour",
        "Of the cost of idle GPUs, what they draw: it ends when they are switched off.",
        reads=("energy_mj",),
        change=METER,
    ),
    "cost.idle_tax": Explained(
        "idle tax",
        "share",
        "total / (total - idle) - 1",
        "How much dearer idle GPUs make every token: all-in over busy-only, less one.",
        terms={**TOTAL, "idle": "cost.idle"},
        change=PRICE,
        over="now",
    ),
}
PER_TOKEN: Final = {
    "tokens.blended": Explained(
        "cost of a million tokens of any kind",
        "$/M",
        "total / ((output_tok_s + prompt_tok_s) * 3600) * 1e6",
        "All of the cost over prompt (cached included) and output tokens alike.",
        terms={**TOTAL, **OUTPUT},
        reads=TOKENS,
        change=PRICE,
    ),
    "tokens.output_only": Explained(
        "cost of a million output tokens, all-in",
        "$/M",
        "total / (output_tok_s * 3600) * 1e6",
        "All of the cost, idle GPUs included, charged to output.",
        terms={**TOTAL, **OUTPUT},
        reads=("output_tokens",),
        change=PRICE,
    ),
    "tokens.output_only_busy": Explained(
        "cost of a million output tokens, busy-only",
        "$/M",
        "(total - idle) / (output_tok_s * 3600) * 1e6",
        "The cost of GPUs that are not idle, charged to output.",
        terms={**TOTAL, **OUTPUT, "idle": "cost.idle"},
        reads=("output_tokens",),
        change=PRICE,
    ),
    "tokens.input": _split("cost of a million input tokens", "input"),
    "tokens.cached": _split("cost of a million cached tokens", "cached"),
    "tokens.output": _split("cost of a million output tokens, by split", "output"),
    "tokens.prefill": of_total(
        "cost of a million tokens prefilled",
        "$/M",
        "prefill_usd_per_hour / (uncached_tok_s * 3600) * 1e6",
        "The prefill GPUs over the prompt tokens that were not cached.",
    ),
    "tokens.decode": of_total(
        "cost of a million tokens decoded",
        "$/M",
        "decode_usd_per_hour / (output_tok_s * 3600) * 1e6",
        "The decode GPUs over output tokens.",
        **OUTPUT,
    ),
    "tokens.useful": Explained(
        "cost of a million output tokens within the SLO",
        "$/M",
        "",
        "All-in over the output of requests within the SLO: at best, and at worst, as the bounds of that share allow.",
        rule="cost of a million output tokens ÷ share within the SLO",
        reads=("output_tokens", "ttft", "tpot", "e2e"),
        change=("[slo]", *PRICE),
    ),
    "tokens.marginal": Explained(
        "electricity of a million output tokens",
        "$/M",
        "facility_w / 1000 * usd_per_kwh / (output_tok_s * 3600) * 1e6",
        "Electricity alone: what one more million costs while the GPUs are paid for anyway.",
        terms={**OUTPUT, "facility_w": "facility_w", "usd_per_kwh": "usd_per_kwh"},
        reads=("output_tokens", "energy_mj"),
        change=METER,
    ),
    "tokens.saved_by_cache_usd_per_hour": of_total(
        "saved by the prefix cache",
        "$/h",
        "total / weighted_tok_s * cheaper_tok_s",
        "Cached prompt tokens × what they would have cost uncached: an estimate.",
        **TOTAL,
    ),
    "tokens.saved_by_speculation_usd_per_hour": of_total(
        "saved by speculation",
        "$/h",
        "accepted_tok_s * (output * output_tok_s * 3600 / 1e6) / (output_tok_s - accepted_tok_s)",
        "What accepted draft tokens would have cost, had each needed a step of its own: an upper estimate.",
        output="tokens.output",
        **OUTPUT,
    ),
}
