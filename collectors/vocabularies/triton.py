"""NVIDIA Triton at port 8002: with the TensorRT-LLM backend, and the server itself, which counts no tokens.

A request to an ensemble is counted once more for each model in it, so requests are not counted by the server's own
`nv_inference_*` but for the one model that the TensorRT-LLM backend's repository names "tensorrt_llm". Triton's vLLM
backend publishes vLLM's names beside these: such a page is read by vLLM's table, which stands before these.
"""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary

_BACKEND_MODEL = frozenset({"tensorrt_llm"})

TRITON_TENSORRT_LLM = Vocabulary(
    engine="triton",
    signs=(frozenset({"nv_trt_llm_request_metrics"}), frozenset({"nv_llm_output_token_len_sum"})),
    moves=Moves.AT_END,  # a request's lengths are observed when it ends
    model_labels=("model",),
    counters={
        "prompt_tokens": Role((Series("nv_llm_input_token_len_sum"),), "prompt tokens and their cost"),
        "cached_tokens": Role((), "cached prompt tokens: the backend counts reused blocks and no tokens"),
        "output_tokens": Role((Series("nv_llm_output_token_len_sum"),), "output tokens, tok/s/W and $/M tokens"),
        "finished": Role((Series("nv_llm_output_token_len_count"),), "finished requests"),
        "failed": Role(
            (Series("nv_inference_request_failure", "model", _BACKEND_MODEL),),  # with cancelled ones
            "failed and cancelled requests, unless the model is called tensorrt_llm",
        ),
        "progress": Role(
            (Series("nv_trt_llm_general_metrics", "general_type", frozenset({"iteration_counter"})),),
            "whether a busy GPU makes progress",
        ),
    },
    gauges={
        "running": Role(
            (Series("nv_trt_llm_request_metrics", "request_type", frozenset({"active"})),), "running requests"
        ),
        "waiting": Role(
            (Series("nv_trt_llm_request_metrics", "request_type", frozenset({"waiting"})),), "waiting requests"
        ),
        "kv_usage": Role(
            (Series("nv_trt_llm_kv_cache_block_metrics", "kv_cache_block_type", frozenset({"fraction"})),),
            "KV cache usage",
        ),
    },
    histograms={
        "ttft": Role(
            (Series("nv_inference_first_response_histogram_ms", "model", _BACKEND_MODEL),),
            "time to first token: start Triton with --metrics-config histogram_latencies=true",
            scale=0.001,
        ),
        "e2e": Role((), "request latency: Triton adds up microseconds and has no histogram"),
        "prompt_length": Role((Series("nv_llm_input_token_len"),), "the lengths of prompts"),
    },
)

TRITON = Vocabulary(
    engine="triton",
    signs=(frozenset({"nv_inference_request_success"}),),
    moves=Moves.NONE,
    no_tokens="Triton counts requests; its TensorRT-LLM and vLLM backends count tokens",
    model_labels=("model",),
    counters={
        "output_tokens": Role((), "all tokens, tok/s/W and $/M tokens: none of this server's backends counts them"),
        "finished": Role((), "finished and failed requests: a request to an ensemble counts once for each model in it"),
        "progress": Role((Series("nv_inference_exec_count"),), "whether a busy GPU makes progress"),
    },
    gauges={"waiting": Role((Series("nv_inference_pending_request_count"),), "waiting requests")},
    histograms={"e2e": Role((), "request latency: Triton adds up microseconds and has no histogram")},
)
