"""LMDeploy's api_server: the names of 0.9 to 2026."""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

_OUTPUT = (Series("lmdeploy:generation_tokens_total"),)

LMDEPLOY = Vocabulary(
    engine="lmdeploy",
    signs=(frozenset({"lmdeploy:generation_tokens_total"}),),
    moves=Moves.LIVE,  # with every engine output; a prompt is counted whole with its first token
    model_labels=("model_name",),  # summed over "engine", the data-parallel rank
    start_series="process_start_time_seconds",
    counters={
        "prompt_tokens": Role((Series("lmdeploy:prompt_tokens_total"),), "prompt tokens and their cost"),
        "cached_tokens": Role(
            (Series("lmdeploy:cached_tokens_total"),),  # 2026; moves when the request ends, later than its prompt
            "cached prompt tokens and the prefix cache's hit rate",
        ),
        "output_tokens": Role(_OUTPUT, "output tokens, tok/s/W and $/M tokens"),
        # All reasons are on the page, and this is the only one that ever moves.
        "finished": Role(
            (Series("lmdeploy:request_success_total", "finished_reason", frozenset({"ResponseType.FINISH"})),),
            "finished requests",
        ),
        # A gauge that holds a count: cancelled, aborted and failed together.
        "failed": Role((Series("lmdeploy:num_requests_failed"),), "failed and aborted requests"),
        "aborted": Role((), "aborted requests apart from failed ones: LMDeploy counts them together"),
        "progress": Role(_OUTPUT, "whether a busy GPU makes progress"),
        "drafted_tokens": Role((Series("lmdeploy:spec_decode_num_draft_tokens_total"),), ""),
        "accepted_tokens": Role((Series("lmdeploy:spec_decode_num_accepted_tokens_total"),), ""),
    },
    gauges={
        "running": Role((Series("lmdeploy:num_requests_running"),), "running requests"),
        "waiting": Role((Series("lmdeploy:num_requests_waiting"),), "waiting requests"),
        "kv_usage": Role((Series("lmdeploy:gpu_cache_usage_perc"),), "KV cache usage"),  # 0..1 despite the name
    },
    histograms={
        "ttft": Role((Series("lmdeploy:time_to_first_token_seconds"),), "time to first token and its SLO"),
        # One observation an engine output. Where there is a second one, this name is the interval over its tokens.
        "itl": Role(
            (Series("lmdeploy:iter_token_latency"), Series("lmdeploy:time_per_output_token_seconds")),
            "inter-token latency and its SLO",
        ),
        "e2e": Role((Series("lmdeploy:e2e_request_latency_seconds"),), "request latency and its SLO"),
        "queue": Role((Series("lmdeploy:request_queue_time_seconds"),), "time in the queue"),
        "prompt_length": Role((Series("lmdeploy:request_prompt_tokens"),), "the lengths of prompts"),
    },
)
