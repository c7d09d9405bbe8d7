"""llama.cpp's llama-server, which must be started with --metrics.

Its counters are printed with 6 significant digits: beyond a million they move in steps of 10 tokens, beyond ten million
in steps of 100. Totals stay right to 1e-5; a short window's rate does not. Its `*_tokens_seconds` gauges are emptied by
every reader and are not used.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import AllOf, Role, Series, Vocabulary

LLAMA_CPP = Vocabulary(
    engine="llama.cpp",
    signs=(frozenset({"llamacpp:tokens_predicted_total"}),),
    moves=Moves.AT_END,  # a request's output is counted when its slot is released
    start_header="process-start-time-unix",  # microseconds since boot despite its name: good for "changed" only
    counters={
        # The engine counts them without the cached ones, so whole prompts need both.
        "prompt_tokens": Role(
            (AllOf((Series("llamacpp:prompt_tokens_total"), Series("llamacpp:prompt_tokens_cached_total"))),),
            "prompt tokens and their cost: builds before 2026 count them without the cached ones",
        ),
        "cached_tokens": Role(
            (Series("llamacpp:prompt_tokens_cached_total"),),  # builds of 2026
            "cached prompt tokens, and with them whole prompts",
        ),
        "output_tokens": Role((Series("llamacpp:tokens_predicted_total"),), "output tokens, tok/s/W and $/M tokens"),
        "finished": Role((), "finished and failed requests: llama-server does not count them"),
        "progress": Role((Series("llamacpp:n_decode_total"),), "whether a busy GPU makes progress"),
        "drafted_tokens": Role((Series("llamacpp:spec_decode_num_draft_tokens_total"),), ""),
        "accepted_tokens": Role((Series("llamacpp:spec_decode_num_accepted_tokens_total"),), ""),
    },
    gauges={
        "running": Role((Series("llamacpp:requests_processing"),), "running requests"),
        "waiting": Role((Series("llamacpp:requests_deferred"),), "waiting requests"),
        "kv_usage": Role((Series("llamacpp:kv_cache_usage_ratio"),), "KV cache usage"),  # dropped upstream in 2025
    },
    histograms={"ttft": Role((), "all latencies and their SLOs: llama-server has no histograms")},
)
