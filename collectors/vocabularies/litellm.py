"""LiteLLM proxy: a gateway that knows the tenants; its tokens are those of the engines behind it.

Names: litellm/types/integrations/prometheus.py, seen on real pages of 1.106. `litellm_total_tokens_metric` is input
plus output and is never read. Label values are the text "None" where nothing is set.
"""

from __future__ import annotations

from collectors.readings import Layer, Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

# A scrape without a valid key is counted as a failed request of the proxy's own.
_OWN_PAGE = frozenset({"/metrics", "/metrics/"})

LITELLM = Vocabulary(
    engine="litellm",
    signs=(
        frozenset({"litellm_proxy_total_requests_metric_total"}),
        frozenset({"litellm_requests_metric_total"}),
        frozenset({"litellm_output_tokens_metric_total"}),
        frozenset({"litellm_in_flight_requests"}),
    ),
    layer=Layer.GATEWAY,
    moves=Moves.AT_END,
    # What the client asked for stands first: request counts have no other, and `model` is the provider's own name.
    model_labels=("requested_model", "model"),
    tenant_labels=("team_alias", "team", "api_key_alias", "user", "end_user"),  # hashed_api_key names nobody
    start_series="process_start_time_seconds",  # absent with several workers
    counters={
        "prompt_tokens": Role((Series("litellm_input_tokens_metric_total"),), "prompt tokens by tenant"),
        "cached_tokens": Role(  # a part of the input, as the provider tells it
            (Series("litellm_input_cached_tokens_metric_total"),), "cached prompt tokens by tenant"
        ),
        "output_tokens": Role((Series("litellm_output_tokens_metric_total"),), "output tokens by tenant"),
        "finished": Role(
            (
                Series("litellm_proxy_total_requests_metric_total", "status_code", frozenset({"200"})),
                Series("litellm_requests_metric_total"),  # successful calls of a model; older releases
            ),
            "finished requests by tenant",
        ),
        "failed": Role(
            (Series("litellm_proxy_failed_requests_metric_total", "route", _OWN_PAGE, others=True),),
            "failed requests by tenant",
        ),
    },
    # litellm_in_flight_requests is 1 on an idle proxy: it counts the scrape that asks for it.
    gauges={"running": Role((), "running requests: the proxy counts every scrape among them")},
    histograms={
        "ttft": Role(  # streamed answers only
            (Series("litellm_llm_api_time_to_first_token_metric"),), "time to first token by tenant"
        ),
        # litellm_deployment_latency_per_output_token names the deployment's model instead of the requested one.
        "token_time": Role((), "time per token by tenant: it is kept by deployment, not by requested model"),
        "e2e": Role((Series("litellm_request_total_latency_metric"),), "request latency by tenant"),
        "queue": Role((Series("litellm_request_queue_time_seconds"),), "time in the proxy's queue"),
    },
)
