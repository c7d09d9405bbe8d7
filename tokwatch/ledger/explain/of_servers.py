"""Figures of servers: throughput, queues, latencies, service levels."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.explained import Explained
from tokwatch.ledger.explain.of_devices import PRICE, SERVED

SLO: Final = ("[slo]", "[slo.models]")
_BUCKET = "the bucket of the histogram that holds request number ⌈{share} × n⌉ of n, the fastest first"
_LATENCIES: Final = {
    "ttft_s": ("ttft", "time to first token", "From a request's arrival to its first token."),
    "tpot_s": ("tpot", "time per output token", "Mean time per token after the first, of each request."),
    "itl_s": ("itl", "inter-token latency", "The gap between two tokens: long answers weigh more."),
    "token_time_s": ("token_time", "time per token, prefill included", "Mean time per token of each request."),
    "e2e_s": ("e2e", "time of a request", "From a request's arrival to its last token."),
    "queue_s": ("queue", "time in the queue", "From a request's arrival to its start."),
}


def quantile(name: str, words: str, means: str, share: str) -> Explained:
    """A quantile of a latency."""
    per_cent = f"{float(share) * 100:g} %"
    return Explained(
        f"{words}, p{float(share) * 100:g}",
        "s",
        "",
        f"{means} {per_cent} of the window's requests took no longer. Known by bucket only: both edges are told.",
        rule=_BUCKET.format(share=share),
        reads=(name,),
        over="minute",
    )


def _rate(words: str, name: str, unit: str, means: str) -> Explained:
    return Explained(words, unit, f"{name} / covered_s", means, reads=(name,))


def met(words: str, means: str, *reads: str) -> Explained:
    """A share of requests."""
    return Explained(
        words,
        "share",
        "",
        means,
        rule="requests surely within ÷ requests, to requests possibly within ÷ requests",
        reads=reads,
        change=SLO,
        over="minute",
    )


_JOINT = (
    "Both bounds follow from the histograms' buckets (Fréchet), so a limit that is a bucket's edge makes them meet."
)
_ALL: Final = ("ttft", "tpot", "e2e", "finished", "failed", "aborted")
SLO_MET: Final = met("requests within the SLO", f"Of the ended requests, failed ones included. {_JOINT}", *_ALL)
GOODPUT: Final = Explained(
    "goodput",
    "requests/s",
    "",
    f"Finished requests a second that were within all limits, at the present load. {_JOINT}",
    rule="requests within the SLO ÷ seconds covered",
    reads=_ALL,
    change=SLO,
    over="minute",
)
SLO_WEIGHTED: Final = Explained(
    "output within the SLO",
    "tok/s",
    "",
    "Output weighted by the share of good requests, as if all requests were equally long; sure is only 0 to all of it.",
    rule="share within the SLO × output tokens ÷ seconds covered",
    reads=("output_tokens", *_ALL),
    change=SLO,
    over="minute",
)

SERVER: Final = {
    "tok_s": _rate("output", "output_tokens", "tok/s", "Output tokens a second that its own page counts."),
    "prompt_tok_s": _rate("prompt", "prompt_tokens", "tok/s", "Prompt tokens a second, cached ones included."),
    "cached_tok_s": _rate("cached prompt", "cached_tokens", "tok/s", "Prompt tokens a second from the prefix cache."),
    "requests_s": _rate("requests", "finished", "requests/s", "Requests a second that finished."),
    "running": Explained(
        "running requests", "", "", "On its page when it was last read.", rule="as told", reads=("running",), over="now"
    ),
    "waiting": Explained(
        "waiting requests", "", "", "On its page when it was last read.", rule="as told", reads=("waiting",), over="now"
    ),
    "kv_usage": Explained(
        "KV cache in use",
        "share",
        "kv_permyriad / 10000",
        "Share of the KV cache's blocks that are taken; of several engines the fullest. Kept in ten-thousandths.",
        reads=("kv_usage",),
        over="now",
    ),
    "usd_per_m_output": Explained(
        "cost of a million output tokens",
        "$/M",
        "own_usd_per_hour / (output_tok_s * 3600) * 1e6",
        "The hour of its deployment's GPUs over its deployment's output.",
        reads=("output_tokens",),
        change=(*PRICE, *SERVED),
    ),
    "tok_per_j": Explained(
        "output tokens per watt",
        "tok/s/W",
        "output_tok_s / drawn_w",
        "Output of its deployment per watt of its deployment's GPUs.",
        reads=("output_tokens", "energy_mj"),
        change=SERVED,
    ),
    "ttft_p95_s": quantile(*_LATENCIES["ttft_s"], "0.95"),
    "tpot_p95_s": quantile(*_LATENCIES["tpot_s"], "0.95"),
    **{
        f"{field}.p{share[2:]:<02}": quantile(*about, share)
        for field, about in _LATENCIES.items()
        for share in ("0.50", "0.95", "0.99")
    },
    "slo_met": SLO_MET,
    "goodput_req_s": GOODPUT,
    "slo_weighted_tok_s": SLO_WEIGHTED,
    "ttft_met": met("requests within the TTFT limit", "This limit alone, whatever became of them.", "ttft"),
    "tpot_met": met("requests within the TPOT limit", "This limit alone, whatever became of them.", "tpot"),
    "e2e_met": met("requests within the E2E limit", "This limit alone, whatever became of them.", "e2e"),
    "token_gaps_met": met("token gaps within the TPOT limit", "Of gaps between tokens, not of requests.", "itl"),
    "slo_target": Explained(
        "SLO target", "share", "", "The share of requests that must be within the limits.", rule="as set", change=SLO
    ),
}
