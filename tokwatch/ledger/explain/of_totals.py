"""Figures of the whole box: the tiles and the closing row."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Every, Explained
from tokwatch.ledger.explain.of_devices import PRICE, SERVED
from tokwatch.ledger.explain.of_servers import GOODPUT, SLO_MET, SLO_WEIGHTED, quantile
from tokwatch.ledger.snapshot import GpuRow


def _idle(row: GpuRow) -> bool:
    return row.idle and row.confirmed


TOTALS: Final = {
    "tok_s": Explained(
        "output",
        "tok/s",
        "output_tok_s",
        "Output tokens a second of all accepted servers, each token once: what a router counts again is left out.",
        rule="output tokens ÷ seconds covered, of each server, added up",
        reads=("output_tokens",),
        change=("[[servers]] counts", "[[servers]] accept"),
    ),
    "tok_s_all": Explained(
        "prompt and output",
        "tok/s",
        "output_tok_s + prompt_tok_s",
        "Prompt tokens, cached ones included, and output tokens a second, each token once.",
        reads=("prompt_tokens", "output_tokens"),
        change=("[[servers]] counts",),
    ),
    "tok_per_j": Explained(
        "output tokens per watt",
        "tok/s/W",
        "placed_tok_s / drawn_w",
        "Output of the servers on GPUs per watt of all GPUs, idle ones included; which is output tokens per joule.",
        reads=("output_tokens", "energy_mj"),
        change=SERVED,
    ),
    "power_w": Explained(
        "power",
        "W",
        "boards",
        "What all devices drew when each was last read.",
        terms={"boards": Every("gpu", "power_w")},
        reads=("power_w",),
        over="now",
    ),
    "power_limit_w": Explained(
        "power limits",
        "W",
        "limits",
        "The limits of all devices.",
        terms={"limits": Every("gpu", "power_limit_w")},
        reads=("power_limit_w",),
        over="now",
    ),
    "memory_used_gib": Explained(
        "memory in use",
        "GiB",
        "memories",
        "Device memory that is taken, of all devices.",
        terms={"memories": Every("gpu", "memory_used_gib")},
        reads=("memory_used",),
        over="now",
    ),
    "memory_total_gib": Explained(
        "memory",
        "GiB",
        "memories",
        "Device memory of all devices.",
        terms={"memories": Every("gpu", "memory_total_gib")},
        reads=("memory_total",),
        over="now",
    ),
    "usd_per_hour": Explained(
        "cost of an hour",
        "$/h",
        "prices",
        "The price of an hour of every GPU, idle or not.",
        terms={"prices": Every("gpu", "usd_per_hour")},
        change=PRICE,
        over="now",
    ),
    "usd_per_m_output": Explained(
        "cost of a million output tokens, all-in",
        "$/M",
        "usd_per_hour / (placed_tok_s * 3600) * 1e6",
        "All GPUs, idle ones included, over the output of the servers on GPUs.",
        terms={"usd_per_hour": "usd_per_hour"},
        reads=("output_tokens",),
        change=(*PRICE, *SERVED),
    ),
    "usd_per_m_all": Explained(
        "cost of a million tokens of any kind, all-in",
        "$/M",
        "usd_per_hour / (placed_all_tok_s * 3600) * 1e6",
        "All GPUs over prompt (cached included) and output tokens alike.",
        terms={"usd_per_hour": "usd_per_hour"},
        reads=("prompt_tokens", "output_tokens"),
        change=(*PRICE, *SERVED),
    ),
    "usd_per_m_output_busy": Explained(
        "cost of a million output tokens, busy-only",
        "$/M",
        "busy_usd_per_hour / (placed_tok_s * 3600) * 1e6",
        "As all-in, of the GPUs that are not idle: the gap between the two is the idle tax.",
        reads=("output_tokens",),
        change=(*PRICE, *SERVED),
    ),
    "idle_usd_per_hour": Explained(
        "cost of idle GPUs an hour",
        "$/h",
        "prices",
        "The price of an hour of the GPUs that are parked, held, free or left out by a router.",
        terms={"prices": Every("gpu", "usd_per_hour", only=_idle)},
        change=PRICE,
        over="now",
    ),
    "idle_usd_today": Explained(
        "paid for idle time today",
        "$",
        "amounts",
        "Every GPU's idle hours since local midnight, each at the price that was in force.",
        terms={"amounts": Every("gpu", "idle_usd_today")},
        change=PRICE,
        over="today",
    ),
    "idle_share_of_cost": Explained(
        "share of cost that is idle",
        "share",
        "idle_usd_per_hour / usd_per_hour",
        "Of the cost of an hour, the part of idle GPUs.",
        terms={"idle_usd_per_hour": "idle_usd_per_hour", "usd_per_hour": "usd_per_hour"},
        change=PRICE,
        over="now",
    ),
    "requests_s": Explained(
        "requests",
        "requests/s",
        "finished_s",
        "Requests a second that finished, at all servers, each once.",
        rule="finished requests ÷ seconds covered, of each server, added up",
        reads=("finished",),
    ),
    "unplaced_tok_s": Explained(
        "output on no GPU",
        "tok/s",
        "unplaced_output_tok_s",
        "Of the output, that of servers which tokwatch could place on no GPU: it is in no ratio.",
        rule="output tokens ÷ seconds covered, of each server on no GPU",
        reads=("output_tokens",),
        change=SERVED,
    ),
    "slo_met": SLO_MET,
    "goodput_req_s": GOODPUT,
    "slo_weighted_tok_s": SLO_WEIGHTED,
    "ttft_p95_s": quantile("ttft", "time to first token", "From a request's arrival to its first token.", "0.95"),
    "gpus": Explained("GPUs", "", "", "Devices that were read.", rule="counted", over="now"),
    "gpus_idle": Explained("idle GPUs", "", "", "In a confirmed idle state.", rule="counted", over="now"),
    "deployments": Explained("models served", "", "", "Models of servers on GPUs.", rule="counted", over="now"),
    "slo_target": Explained(
        "SLO target",
        "share",
        "",
        "The share of requests that must be within the limits.",
        rule="as set",
        change=("[slo]",),
    ),
}
