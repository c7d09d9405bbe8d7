"""NVIDIA NIM 1.x for LLMs at /v1/metrics: older vLLM's names without the prefix. NIM 2 has its engine's own names."""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

_OUTPUT = (Series("generation_tokens_total"),)

NIM = Vocabulary(
    engine="nim",
    signs=(frozenset({"num_requests_running", "generation_tokens_total"}),),  # each alone could be anybody's
    moves=Moves.LIVE,
    model_labels=("model_name",),
    start_series="process_start_time_seconds",
    counters={
        "prompt_tokens": Role((Series("prompt_tokens_total"),), "prompt tokens and their cost"),
        "cached_tokens": Role((), "cached prompt tokens: NIM 1.x does not count them"),
        "output_tokens": Role(_OUTPUT, "output tokens, tok/s/W and $/M tokens"),
        "finished": Role(
            (
                Series("request_success_total"),  # "stop" and "length"; every other reason is a failure
                Series("request_finish_total", "finished_reason", frozenset({"stop", "length"})),
            ),
            "finished requests",
        ),
        "failed": Role((Series("request_failure_total"),), "failed and aborted requests"),
        "progress": Role(_OUTPUT, "whether a busy GPU makes progress"),
    },
    gauges={
        "running": Role((Series("num_requests_running"),), "running requests"),
        "waiting": Role((Series("num_requests_waiting"),), "waiting requests"),
        "kv_usage": Role((Series("gpu_cache_usage_perc"),), "KV cache usage"),  # 0..1 despite the name
    },
    histograms={
        "ttft": Role((Series("time_to_first_token_seconds"),), "time to first token and its SLO"),
        # One observation a token, whatever the name says: a page had 34 first tokens, 963 of these and 997 tokens.
        "itl": Role((Series("time_per_output_token_seconds"),), "inter-token latency and its SLO"),
        "e2e": Role((Series("e2e_request_latency_seconds"),), "request latency and its SLO"),
        "prompt_length": Role((Series("request_prompt_tokens"),), "the lengths of prompts"),
    },
)
