"""Hugging Face TGI: the Rust router's page, which has no `_total`, no model and no tokens before a request ends.

Names: text-generation-inference, router/src and backends/v2, v3, as of release 3 (the project is frozen since 2026).
Counters stand here with the `_total` that a pipeline may add.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

_DROPPED = frozenset({"dropped"})  # the client left; every other reason is a failure

TGI = Vocabulary(
    engine="tgi",
    # Each series appears with its first use, so a page may still lack any of them.
    signs=(
        frozenset({"tgi_request_count"}),
        frozenset({"tgi_batch_max_total_tokens"}),
        frozenset({"tgi_batch_current_size"}),
        frozenset({"tgi_queue_size"}),
    ),
    moves=Moves.AT_END,
    counters={
        # Counted when a request is validated: also of requests that fail later, and before their tokens are made.
        "prompt_tokens": Role((Series("tgi_request_input_length_sum"),), "prompt tokens and their cost"),
        "cached_tokens": Role((), "cached prompt tokens: TGI does not count them"),
        # Of a request with best_of only the best answer; a dropped request's tokens are never counted.
        "output_tokens": Role((Series("tgi_request_generated_tokens_sum"),), "output tokens, tok/s/W and $/M tokens"),
        "finished": Role((Series("tgi_request_success_total"),), "finished requests"),
        "failed": Role((Series("tgi_request_failure_total", "err", _DROPPED, others=True),), "failed requests"),
        "aborted": Role((Series("tgi_request_failure_total", "err", _DROPPED),), "aborted requests"),
        "progress": Role(  # decode steps: the only thing that moves while a request runs
            (Series("tgi_batch_inference_success_total", "method", frozenset({"decode"})),),
            "whether a busy GPU makes progress",
        ),
    },
    gauges={
        "running": Role((Series("tgi_batch_current_size"),), "running requests"),
        "waiting": Role((Series("tgi_queue_size"),), "waiting requests"),
        "kv_usage": Role((), "KV cache usage: TGI does not publish it"),
    },
    histograms={
        "ttft": Role((), "time to first token and its SLO: TGI does not measure it"),
        "token_time": Role((Series("tgi_request_mean_time_per_token_duration"),), "time per token, prefill included"),
        "e2e": Role((Series("tgi_request_duration"),), "request latency and its SLO"),
        "queue": Role((Series("tgi_request_queue_duration"),), "time in the queue"),
        "prompt_length": Role((Series("tgi_request_input_length"),), "prompt lengths"),
    },
)
