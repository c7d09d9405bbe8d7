"""sglang-router (the SGLang model gateway): a router that counts requests, and tokens only where it speaks gRPC.

Names: `smg_*` of 0.3 (sgl-project/sglang, sgl-model-gateway/src/observability/metrics.rs) and `sgl_router_*` of 2025
(sgl-router/src/metrics.rs). Series appear with their first use. `smg_http_inflight_request_age_count` is a gauge, not
part of a histogram.
"""

from __future__ import annotations

from collectors.readings import Layer, Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary


def _tokens(kind: str, lost: str) -> Role:
    counted_by_grpc = Series("smg_router_tokens_total", "token_type", frozenset({kind}))
    return Role((counted_by_grpc,), f"{lost}: over HTTP the router passes answers on unread; its workers count them")


_ANSWERED = (
    Series("smg_router_request_duration_seconds_count"),  # successes only: failed ones are not timed
    Series("sgl_router_request_duration_seconds_count"),
)

SGLANG_ROUTER = Vocabulary(
    engine="sglang-router",
    signs=(
        frozenset({"smg_worker_pool_size"}),
        frozenset({"smg_http_requests_total"}),
        frozenset({"smg_router_requests_total"}),
        frozenset({"sgl_router_active_workers"}),
        frozenset({"sgl_router_requests_total"}),
    ),
    layer=Layer.ROUTER,
    moves=Moves.AT_END,
    model_labels=("model",),
    counters={
        "prompt_tokens": _tokens("input", "prompt tokens"),
        "output_tokens": _tokens("output", "output tokens"),
        "finished": Role(_ANSWERED, "finished requests"),
        # Names no model. One error of a client, not one of every try: those are smg_router_upstream_responses_total.
        "failed": Role(
            (
                Series("smg_http_responses_total", "status_code", frozenset({"200"}), others=True),
                Series("sgl_router_request_errors_total"),
            ),
            "failed requests",
        ),
        "progress": Role(_ANSWERED, "whether requests are answered"),
    },
    gauges={
        # Not smg_http_connections_active: a streamed answer leaves it with its first byte.
        "running": Role(
            (Series("smg_worker_requests_active"), Series("sgl_router_running_requests")), "running requests"
        ),
    },
    histograms={
        # smg_router_ttft_seconds and smg_router_tpot_seconds are summaries: quantiles since the start of the router.
        "ttft": Role((), "time to first token and its SLO: the router has quantiles since its start, no histogram"),
        # Not smg_router_request_duration_seconds: it stops at the first byte (2 ms for a stream of 4.6 s).
        "e2e": Role((Series("smg_router_generation_duration_seconds"),), "request latency and its SLO: gRPC only"),
    },
)
