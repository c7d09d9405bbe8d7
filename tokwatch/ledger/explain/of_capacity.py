"""Figures of what a deployment could do. Throughput of capacity is of computed tokens: uncached prompt and output."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Explained

_COMPUTED: Final = ("prompt_tokens", "cached_tokens", "output_tokens")
_SET: Final = ("[[capacity]]", "[slo]")


def _of_point(words: str, unit: str, rule: str, means: str, *reads: str) -> Explained:
    return Explained(words, unit, "", means, rule=rule, reads=reads, over="point")


_POINT: Final = {
    "tok_s_per_user": _of_point(
        "interactivity",
        "tok/s",
        "1 ÷ mean time per output token",
        "Tokens a second that one user sees, prefill left out.",
        *("tpot", "itl"),
    ),
    "output_tok_s_per_gpu": _of_point(
        "output of a GPU", "tok/s", "output tokens ÷ seconds ÷ GPUs", "Output of its GPUs, each alike.", "output_tokens"
    ),
    "total_tok_s_per_gpu": _of_point(
        "tokens of a GPU",
        "tok/s",
        "prompt (cached included) and output tokens ÷ seconds ÷ GPUs",
        "Prompt and output of its GPUs, each alike.",
        *("prompt_tokens", "output_tokens"),
    ),
    "output_tok_s_per_board_mw": _of_point(
        "output of a megawatt",
        "tok/s/MW",
        "output tokens ÷ joules drawn × 10⁶",
        "Output over the board power of its GPUs.",
        *("output_tokens", "energy_mj"),
    ),
    "total_tok_s_per_board_mw": _of_point(
        "tokens of a megawatt",
        "tok/s/MW",
        "prompt (cached included) and output tokens ÷ joules drawn × 10⁶",
        "Prompt and output over the board power of its GPUs.",
        *("prompt_tokens", "output_tokens", "energy_mj"),
    ),
    "prompt_share": _of_point(
        "prompt share",
        "share",
        "prompt tokens that were not cached ÷ these and output tokens",
        "Which part of what was computed is prefill.",
        *_COMPUTED,
    ),
    "running": _of_point("running requests", "", "mean over the point's minute", "How many it works on.", "running"),
    "slo_met_at_least": _of_point(
        "requests within the SLO, at least",
        "share",
        "requests surely within ÷ requests",
        "The lower bound of that share.",
        *("ttft", "tpot", "e2e", "finished"),
    ),
    "usd_per_m_output": _of_point(
        "cost of a million output tokens",
        "$/M",
        "price of a GPU hour ÷ (output of a GPU × 3 600) × 10⁶",
        "At present prices, whenever the point was seen.",
        "output_tokens",
    ),
    "profit_usd_per_hour": _of_point(
        "profit of an hour",
        "$/h",
        "revenue − cost, at present prices",
        "What an hour like this one would leave.",
        *_COMPUTED,
    ),
    "gpus": _of_point("GPUs", "", "counted", "Those that it was made on."),
}

CAPACITY: Final = {
    **{f"{point}.{field}": entry for point in ("now", "best") for field, entry in _POINT.items()},
    "capacity_tok_s_per_gpu": Explained(
        "capacity of a GPU",
        "tok/s",
        "",
        "The most that a GPU of this deployment did of this mix within the SLO, or what was declared.",
        rule="declared; else the best five minutes of the last seven days that met the SLO",
        reads=_COMPUTED,
        change=_SET,
        over="hours",
    ),
    "computed_tok_s": Explained(
        "computed tokens",
        "tok/s",
        "output_tok_s + uncached_tok_s",
        "Output and those prompt tokens that were not in the prefix cache, a second.",
        reads=_COMPUTED,
    ),
    "utilisation": Explained(
        "use of capacity",
        "share",
        "computed / (capacity * gpus)",
        "What is computed over what its GPUs could compute within the SLO; above 1 it is missed, or K is out of date.",
        terms={"computed": "computed_tok_s", "capacity": "capacity_tok_s_per_gpu", "gpus": "gpus"},
        reads=_COMPUTED,
        change=_SET,
    ),
    "headroom_tok_s": Explained(
        "headroom",
        "tok/s",
        "capacity * gpus - computed",
        "What its GPUs could compute besides.",
        terms={"computed": "computed_tok_s", "capacity": "capacity_tok_s_per_gpu", "gpus": "gpus"},
        reads=_COMPUTED,
        change=_SET,
    ),
    "load_factor": Explained(
        "load factor",
        "share",
        "",
        "How even its load is: a low one means that GPUs are kept for a peak.",
        rule="mean ÷ peak of the last 24 whole hours",
        reads=_COMPUTED,
        over="hours",
    ),
    "gap": Explained(
        "below the frontier",
        "share",
        "",
        "How far its output per GPU is below the best that was seen at this interactivity.",
        rule="1 − output per GPU ÷ the frontier's at the same tok/s per user",
        reads=("output_tokens", "tpot", "itl"),
        over="hours",
    ),
    "gpus": Explained("GPUs of the deployment", "", "", "Those its servers are on.", rule="counted", over="now"),
}
