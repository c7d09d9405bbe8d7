"""vLLM: the v1 engine's names of 0.8 to 0.32, and the older v0 names where they mean the same."""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary


def _outcome(lost: str, *reasons: str) -> Role:
    return Role((Series("vllm:request_success_total", "finished_reason", frozenset(reasons)),), lost)


_OUTPUT = (Series("vllm:generation_tokens_total"),)

VLLM = Vocabulary(
    engine="vllm",
    # Either: a page without requests may lack gauges (several API servers), and a worker behind a router may have
    # gauges and no token counters.
    signs=(frozenset({"vllm:generation_tokens_total"}), frozenset({"vllm:num_requests_running"})),
    moves=Moves.LIVE,  # output moves with every engine step; a prompt is counted whole when its prefill completes
    model_labels=("model_name", "model"),  # "model" behind Triton; summed over "engine", the data-parallel rank
    start_series="process_start_time_seconds",  # of the API server; absent with several of them
    counters={
        "prompt_tokens": Role((Series("vllm:prompt_tokens_total"),), "prompt tokens and their cost"),
        "cached_tokens": Role(
            (
                Series("vllm:prompt_tokens_cached_total"),  # 2026
                # Counts looked-up tokens, so preempted requests twice: close, not exact. Its forerunner
                # gpu_prefix_cache_hits counted blocks in some releases and is left out.
                Series("vllm:prefix_cache_hits_total"),
            ),
            "cached prompt tokens and the prefix cache's hit rate",
        ),
        "output_tokens": Role(_OUTPUT, "output tokens, tok/s/W and $/M tokens"),
        # A request whose client left may be in none of these three (seen on 0.32).
        "finished": _outcome("finished requests", "stop", "length", "repetition"),
        "failed": _outcome("failed requests", "error"),
        "aborted": _outcome("aborted requests", "abort"),
        "preempted": Role((Series("vllm:num_preemptions_total"),), "preemptions"),
        "progress": Role(_OUTPUT, "whether a busy GPU makes progress"),
    },
    gauges={
        "running": Role((Series("vllm:num_requests_running"),), "running requests"),
        "waiting": Role((Series("vllm:num_requests_waiting"),), "waiting requests"),
        "kv_usage": Role(
            (Series("vllm:kv_cache_usage_perc"), Series("vllm:gpu_cache_usage_perc")),  # 0..1 despite the names
            "KV cache usage",
        ),
    },
    histograms={
        "ttft": Role((Series("vllm:time_to_first_token_seconds"),), "time to first token and its SLO"),
        "tpot": Role((Series("vllm:request_time_per_output_token_seconds"),), "time per output token of a request"),
        "itl": Role(
            # One observation per engine step and request. The older name says "per output token" and means the same.
            (Series("vllm:inter_token_latency_seconds"), Series("vllm:time_per_output_token_seconds")),
            "inter-token latency and its SLO",
        ),
        "e2e": Role((Series("vllm:e2e_request_latency_seconds"),), "request latency and its SLO"),
    },
)
