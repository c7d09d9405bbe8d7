"""TensorRT-LLM's trtllm-serve at /prometheus/metrics, which wants `return_perf_metrics: true` in its options file.

Requests are counted when they end. What is sampled from the engine's steps (gauges, blocks, drafts) also wants
`enable_iter_perf_stats: true`. Its JSON at /metrics is emptied by every reader and is never read.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Info, Role, Series, Vocabulary

_SERVER_ERRORS = frozenset({"500", "501", "502", "503", "504"})  # the others are the clients' mistakes


def _outcome(series: str, lost: str, *reasons: str) -> Role:
    return Role((Series(series, "finished_reason", frozenset(reasons)),), lost)


def _histograms(prefix: str) -> dict[str, Role]:
    return {
        "ttft": Role((Series(prefix + "time_to_first_token_seconds"),), "time to first token and its SLO"),
        "tpot": Role((Series(prefix + "time_per_output_token_seconds"),), "time per output token of a request"),
        "e2e": Role((Series(prefix + "e2e_request_latency_seconds"),), "request latency and its SLO"),
        "queue": Role((Series(prefix + "request_queue_time_seconds"),), "time in the queue"),
    }


TENSORRT_LLM = Vocabulary(
    engine="tensorrt-llm",
    signs=(
        frozenset({"trtllm_generation_tokens_total"}),
        frozenset({"trtllm_prompt_cached_tokens_total"}),  # there before the first request
        frozenset({"trtllm_request_success_total"}),
        frozenset({"trtllm_num_requests_running"}),
    ),
    moves=Moves.AT_END,
    model_labels=("model_name",),
    counters={
        "prompt_tokens": Role((Series("trtllm_prompt_tokens_total"),), "prompt tokens and their cost"),
        "cached_tokens": Role(
            (Series("trtllm_prompt_cached_tokens_total"),), "cached prompt tokens and the prefix cache's hit rate"
        ),
        "output_tokens": Role((Series("trtllm_generation_tokens_total"),), "output tokens, tok/s/W and $/M tokens"),
        "finished": _outcome("trtllm_request_success_total", "finished requests", "stop", "length"),
        "failed": Role((Series("trtllm_request_error_total", "http_code", _SERVER_ERRORS),), "failed requests"),
        "aborted": _outcome("trtllm_request_success_total", "aborted requests", "cancelled", "timeout"),
        # Tokens move at the end alone; meanwhile KV blocks are taken, one for each 32 or 64 tokens of a request.
        "progress": Role((Series("trtllm_kv_cache_gen_alloc_blocks_total"),), "whether a busy GPU makes progress"),
        # Of every step; the counters by position move when a request ends.
        "drafted_tokens": Role(
            (Series("trtllm_spec_decode_num_draft_tokens_total"), Series("trtllm_spec_decode_drafted_tokens_total")),
            "",
        ),
        "accepted_tokens": Role(
            (
                Series("trtllm_spec_decode_num_accepted_tokens_total"),
                Series("trtllm_spec_decode_accepted_tokens_total"),
            ),
            "",
        ),
    },
    gauges={
        "running": Role((Series("trtllm_num_requests_running"),), "running requests: set enable_iter_perf_stats: true"),
        "waiting": Role((Series("trtllm_num_requests_waiting"),), "waiting requests: set enable_iter_perf_stats: true"),
        "kv_usage": Role((Series("trtllm_kv_cache_utilization"),), "KV cache usage: set enable_iter_perf_stats: true"),
    },
    histograms=_histograms("trtllm_"),
    infos=(
        Info(
            Series("trtllm_parallel_config_info"),
            {
                "gpu_count": "GPUs",
                "tensor_parallel_size": "tensor parallel",
                "pipeline_parallel_size": "pipeline parallel",
                "context_parallel_size": "context parallel",
                "expert_parallel_size": "expert parallel",
            },
        ),
        Info(
            Series("trtllm_model_config_info"),
            {"dtype": "precision", "quantization": "quantisation", "max_model_len": "max length", "gpu_type": "GPU"},
        ),
        Info(
            Series("trtllm_speculative_config_info"), {"spec_method": "speculation", "spec_num_tokens": "draft tokens"}
        ),
        Info(
            Series("trtllm_kv_cache_config_info"),
            {"cache_dtype": "KV cache precision", "page_size": "KV block size", "enable_block_reuse": "prefix caching"},
        ),
    ),
)

# Up to 1.1: five series without a prefix, which NIM has too. So this table stands behind NIM's.
TENSORRT_LLM_11 = Vocabulary(
    engine="tensorrt-llm",
    signs=(
        frozenset(
            {"request_success_total", "time_to_first_token_seconds_count", "time_per_output_token_seconds_count"}
        ),
    ),
    moves=Moves.NONE,
    no_tokens="TensorRT-LLM up to 1.1 counts requests and no tokens; newer releases do",
    model_labels=("model_name",),
    counters={
        "output_tokens": Role((), "all tokens, tok/s/W and $/M tokens: TensorRT-LLM up to 1.1 counts none"),
        "finished": _outcome("request_success_total", "finished requests", "stop", "length"),
        "aborted": _outcome("request_success_total", "aborted requests", "cancelled", "timeout"),
        "progress": Role((), "whether a busy GPU makes progress"),
    },
    gauges={"running": Role((), "running and waiting requests and KV cache usage")},
    histograms=_histograms(""),
)
