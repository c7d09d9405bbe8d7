"""The endpoint picker (EPP) of the Kubernetes Gateway API inference extension and of llm-d: a gateway's view.

Names, newest first: `llm_d_epp_*` (llm-d/llm-d-router, August 2026), `llm_d_router_epp_*` (mid 2026),
`inference_objective_*` (2025, still published beside the newer ones) and `inference_model_*` (its first releases).
`…_predicted_ttft_seconds` and `…_predicted_tpot_seconds` are forecasts and are never read.
"""

from __future__ import annotations

from collectors.readings import Layer, Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

_OLDER = ("llm_d_router_epp", "inference_objective", "inference_model")
_NOT_STREAMED = frozenset({"false"})  # "time to first token" of an answer in one piece is its whole duration


def _series(newest: str, older: str) -> tuple[Series, ...]:
    return (Series(f"llm_d_epp_{newest}"), *(Series(f"{prefix}_{older}") for prefix in _OLDER))


ENDPOINT_PICKER = Vocabulary(
    engine="endpoint-picker",
    signs=(
        frozenset({"llm_d_epp_ready_endpoints"}),
        frozenset({"llm_d_router_epp_ready_endpoints"}),
        frozenset({"inference_pool_ready_pods"}),
        frozenset({"inference_objective_request_total"}),
        frozenset({"inference_model_request_total"}),
        frozenset({"inference_extension_info"}),
    ),
    layer=Layer.GATEWAY,
    moves=Moves.AT_END,
    model_labels=("model_name", "target_model_name"),  # what the client asked for, as on the gauges
    tenant_labels=("fairness_id",),  # on the newest names only
    tier_labels=("priority",),
    empty_labels=frozenset({"", "None", "null", "default-flow"}),  # the last: a request without a fairness id
    start_series="process_start_time_seconds",
    counters={
        # From the answers' `usage`, so without the tokens of streams that do not ask for it.
        "prompt_tokens": Role(_series("request_input_tokens_sum", "input_tokens_sum"), "prompt tokens"),
        "cached_tokens": Role(_series("request_cached_tokens_sum", "prompt_cached_tokens_sum"), "cached prompt tokens"),
        "output_tokens": Role(_series("request_output_tokens_sum", "output_tokens_sum"), "output tokens"),
        # Not request_total: it counts arrivals.
        "finished": Role(
            _series("request_duration_seconds_count", "request_duration_seconds_count"), "finished requests"
        ),
        "failed": Role(_series("request_error_total", "request_error_total"), "failed requests"),
    },
    gauges={
        "running": Role(_series("request_running", "running_requests"), "running requests"),
        "waiting": Role(  # not average_queue_size: a mean over pods is no count of requests
            (Series("llm_d_router_epp_per_endpoint_queue_size"), Series("inference_pool_per_pod_queue_size")),
            "waiting requests",
        ),
        "kv_usage": Role(  # a mean over the pods of a pool; of several pools the fullest
            (
                Series("llm_d_epp_average_kv_cache_utilization"),
                Series("llm_d_router_epp_average_kv_cache_utilization"),
                Series("inference_pool_average_kv_cache_utilization"),
            ),
            "KV cache usage",
        ),
    },
    histograms={
        "ttft": Role(
            tuple(
                Series(f"{prefix}_request_ttft_seconds", "streaming", _NOT_STREAMED, others=True)
                for prefix in ("llm_d_epp", *_OLDER)
            ),
            "time to first token and its SLO",
        ),
        # …_streaming_itl_seconds is left out: it times the chunks of a stream, and a chunk is no token.
        "tpot": Role(_series("request_streaming_tpot_seconds", "request_tpot_seconds"), "time per output token"),
        "token_time": Role(
            _series("request_ntpot_seconds", "normalized_time_per_output_token_seconds"),
            "time per token, prefill included",
        ),
        "e2e": Role(_series("request_duration_seconds", "request_duration_seconds"), "request latency and its SLO"),
        "prompt_length": Role(_series("request_input_tokens", "input_tokens"), "prompt lengths"),
    },
)
