"""SGLang, which must be started with --enable-metrics: live tokens where it has realtime_tokens_total, else at end.

Its gauges are refreshed at a prefill or every 40 decode steps, and keep their last value when traffic stops. Rates
(gen_throughput) and cache_hit_rate are of the last batch and are not used.

Labels: schedulers publish a copy from each rank where they are told to; under data-parallel attention a group's first
rank need not be 0. With priorities, a scheduler's gauge with the empty priority is the total of the others; on request
counters the empty priority is a priority like any other.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import AllOf, Info, Role, Series, Vocabulary

_REALTIME = "sglang:realtime_tokens_total"
# The step that runs past a request's end (overlap scheduling) is counted, its first token (made by prefill) is not:
# as many tokens as there are, to about one a request.
_DECODED = Series(_REALTIME, "mode", frozenset({"decode"}))
_HITS = frozenset({"device_hit", "host_hit", "storage_hit"})


def _queue(*names: str) -> AllOf:
    return AllOf(tuple(Series(f"sglang:{name}", "priority", frozenset({""})) for name in names))


SGLANG = Vocabulary(
    engine="sglang",
    signs=(
        frozenset({"sglang:num_running_reqs"}),
        frozenset({"sglang:generation_tokens_total"}),
        frozenset({_REALTIME}),
        frozenset({"sglang:max_total_num_tokens"}),  # all that a page has before its first request
    ),
    moves=Moves.AT_END,
    moves_by={_REALTIME: Moves.LIVE},
    model_labels=("model_name",),
    roles={"engine_type": {"prefill": "prefill", "decode": "decode"}},  # "unified" is both in one
    copies=("tp_rank", "pp_rank", "moe_ep_rank"),
    counters={
        "prompt_tokens": Role(
            (
                # With each prefill. A request that is retracted and prefilled again is in it twice; the effective
                # counter leaves that out, but moves with the log interval only.
                Series(_REALTIME, "mode", frozenset({"prefill_compute", "prefill_cache"})),
                Series("sglang:prefill_effective_tokens_total", "mode", _HITS | {"input"}),
                Series("sglang:prompt_tokens_total"),
            ),
            "prompt tokens and their cost",
        ),
        "cached_tokens": Role(
            (
                Series(_REALTIME, "mode", frozenset({"prefill_cache"})),
                Series("sglang:prefill_effective_tokens_total", "mode", _HITS),
                # A request is counted under its sources or, where they are not known, under "total": never under both.
                Series("sglang:cached_tokens_total"),
            ),
            "cached prompt tokens and the prefix cache's hit rate",
        ),
        "output_tokens": Role(
            (_DECODED, Series("sglang:generation_tokens_total")), "output tokens, tok/s/W and $/M tokens"
        ),
        "finished": Role(
            (Series("sglang:num_requests_total"),),  # with those that were aborted while they ran
            "finished requests",
        ),
        "failed": Role((), "failed requests: SGLang counts aborted ones alone"),
        "aborted": Role((Series("sglang:num_aborted_requests_total"),), "aborted requests"),
        "preempted": Role((Series("sglang:num_retracted_requests_total"),), "preemptions"),
        "progress": Role(
            (
                _DECODED,
                # One observation a token, one for the first of a request. Requests that do not stream come in lumps of
                # 50 tokens, so this proves work and is no token rate.
                AllOf(
                    (
                        Series("sglang:inter_token_latency_seconds_count"),
                        Series("sglang:time_to_first_token_seconds_count"),
                    )
                ),
            ),
            "whether a busy GPU makes progress",
        ),
    },
    gauges={
        "running": Role((_queue("num_running_reqs"),), "running requests"),
        "waiting": Role(
            (
                # Of a disaggregated pair the prefill and decode sides have queues of their own.
                _queue(
                    "num_queue_reqs",
                    "num_grammar_queue_reqs",
                    "num_prefill_bootstrap_queue_reqs",
                    "num_decode_prealloc_queue_reqs",
                    "num_decode_transfer_queue_reqs",
                ),
                _queue("num_queue_reqs"),
            ),
            "waiting requests",
        ),
        "kv_usage": Role((Series("sglang:token_usage"),), "KV cache usage"),
    },
    histograms={
        "ttft": Role((Series("sglang:time_to_first_token_seconds"),), "time to first token and its SLO"),
        "itl": Role((Series("sglang:inter_token_latency_seconds"),), "inter-token latency and its SLO"),  # one a token
        "tpot": Role((Series("sglang:request_time_per_output_token_seconds"),), "time per output token of a request"),
        "e2e": Role((Series("sglang:e2e_request_latency_seconds"),), "request latency and its SLO"),
        "queue": Role((Series("sglang:queue_time_seconds"),), "time in the queue"),
        "prompt_length": Role((Series("sglang:prompt_tokens_histogram"),), "the lengths of prompts"),
    },
    infos=(
        Info(Series("sglang:page_size"), {"": "KV block size"}),
        Info(Series("sglang:cache_config_info"), {"page_size": "KV block size"}),
        Info(Series("sglang:context_len"), {"": "max length"}),
    ),
)
