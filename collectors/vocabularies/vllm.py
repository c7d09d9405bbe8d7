"""vLLM: the v1 engine's names of 0.8 to 0.32, and the older v0 names where they mean the same.

Also what Triton's vLLM backend publishes of them, with "model" for "model_name".
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import AllOf, Info, Role, Series, Vocabulary


def _ended(*reasons: str) -> Series:
    return Series("vllm:request_success_total", "finished_reason", frozenset(reasons))


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
        # The series of successes has the failures too. A request whose client left may be in none of them (on 0.32).
        "finished": Role((_ended("stop", "length", "repetition"),), "finished requests"),
        # Requests that a full queue turns away (HTTP 503) are counted apart; 4xx answers are not counted at all.
        "failed": Role(
            (AllOf((_ended("error"), Series("vllm:admission_rejections_total"))), _ended("error")), "failed requests"
        ),
        "aborted": Role((_ended("abort"),), "aborted requests"),
        "preempted": Role((Series("vllm:num_preemptions_total"),), "preemptions"),
        "progress": Role(_OUTPUT, "whether a busy GPU makes progress"),
        "drafted_tokens": Role((Series("vllm:spec_decode_num_draft_tokens_total"),), ""),
        "accepted_tokens": Role((Series("vllm:spec_decode_num_accepted_tokens_total"),), ""),
    },
    gauges={
        "running": Role((Series("vllm:num_requests_running"),), "running requests"),
        "waiting": Role((Series("vllm:num_requests_waiting"),), "waiting requests"),
        "kv_usage": Role(
            (Series("vllm:kv_cache_usage_perc"), Series("vllm:gpu_cache_usage_perc")),  # 0..1 despite the names
            "KV cache usage",
        ),
        "asleep": Role(
            (Series("vllm:engine_sleep_state", "sleep_state", frozenset({"weights_offloaded", "discard_all"})),),
            "whether a silent server was put to sleep",
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
        "queue": Role((Series("vllm:request_queue_time_seconds"),), "time in the queue"),
        "prompt_length": Role((Series("vllm:request_prompt_tokens"),), "the lengths of prompts"),
    },
    infos=(
        Info(
            Series("vllm:cache_config_info"),
            {
                "cache_dtype": "KV cache precision",  # "auto": the model's
                "block_size": "KV block size",
                "enable_prefix_caching": "prefix caching",
                "kv_cache_size_tokens": "KV cache tokens",
            },
        ),
    ),
)
