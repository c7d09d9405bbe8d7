"""Figures of traffic by model, tenant and tier."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.of_devices import PRICE
from tokwatch.ledger.explain.of_money import LIST, TOKENS


def _share_of_traffic(words: str, means: str, name: str) -> Explained:
    return Explained(
        words, "tok/s", "", means, rule="tokens ÷ seconds covered, of its tenant, tier and model", reads=(name,)
    )


TRAFFIC: Final = {
    "tok_s": _share_of_traffic("output", "Output tokens a second of this tenant's requests.", "output_tokens"),
    "prompt_tok_s": _share_of_traffic("prompt", "Prompt tokens a second, cached ones included.", "prompt_tokens"),
    "cached_tok_s": _share_of_traffic("cached prompt", "Prompt tokens a second from the cache.", "cached_tokens"),
    "cost_usd_per_hour": Explained(
        "cost",
        "$/h",
        "",
        "Its part of the deployment's cost.",
        rule="the deployment's cost × its tokens by weight ÷ all tokens by weight",
        reads=TOKENS,
        change=(*PRICE, *LIST),
    ),
    "usd_per_m_output": Explained(
        "cost of a million output tokens",
        "$/M",
        "cost / (tok_s * 3600) * 1e6",
        "Its cost over its output.",
        terms={"cost": "cost_usd_per_hour", "tok_s": "tok_s"},
        reads=TOKENS,
        change=(*PRICE, *LIST),
    ),
    "revenue_usd_per_hour": Explained(
        "revenue",
        "$/h",
        "",
        "What its tokens fetch at its tier.",
        rule="tokens of each kind × their list price at its tier",
        reads=TOKENS,
        change=LIST,
    ),
    "profit_usd_per_hour": Explained(
        "profit",
        "$/h",
        "revenue - cost",
        "Revenue less cost.",
        terms={"revenue": "revenue_usd_per_hour", "cost": "cost_usd_per_hour"},
        reads=TOKENS,
        change=(*PRICE, *LIST),
    ),
}
