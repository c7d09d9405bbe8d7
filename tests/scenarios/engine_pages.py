"""The pages of the scripted servers: what is read of a vLLM v1 page and of llama-server's, written as those do."""

from __future__ import annotations

from tests.scenarios.scripted_server import Counters

_TTFT_EDGES_S = (0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 40.0)
_TOKENS_A_STEP = 4


def vllm_page(model: str, counters: Counters, started_at_s: float) -> bytes:
    """vLLM's v1 engine, one API server."""
    label = f'engine="0",model_name="{model}"'
    plain = {
        "vllm:num_requests_running": counters.running,
        "vllm:num_requests_waiting": counters.waiting,
        "vllm:kv_cache_usage_perc": counters.kv,
        "vllm:num_preemptions_total": counters.preempted,
        "vllm:prompt_tokens_total": counters.prompt_tokens,
        "vllm:prompt_tokens_cached_total": 0,
        "vllm:generation_tokens_total": counters.output_tokens,
    }
    ttft = "vllm:time_to_first_token_seconds"
    within = [(edge, sum(count for ttft_s, count in counters.ttft if ttft_s <= edge)) for edge in _TTFT_EDGES_S]
    lines = [
        f"process_start_time_seconds {started_at_s!r}",
        *(f"{name}{{{label}}} {float(value)!r}" for name, value in plain.items()),
        f'vllm:request_success_total{{{label},finished_reason="stop"}} {float(counters.finished)!r}',
        *(f'{ttft}_bucket{{{label},le="{edge}"}} {float(count)!r}' for edge, count in within),
        f'{ttft}_bucket{{{label},le="+Inf"}} {float(counters.finished)!r}',
        f"{ttft}_count{{{label}}} {float(counters.finished)!r}",
        f"{ttft}_sum{{{label}}} {sum(ttft_s * count for ttft_s, count in counters.ttft)!r}",
        "",
    ]
    return "\n".join(lines).encode()


def llama_cpp_page(model: str, counters: Counters, started_at_s: float) -> bytes:
    """llama-server: no labels and no start time; a request's output is counted when it ends, its steps at once."""
    del model, started_at_s
    finished_tokens = sum(count for _, count in counters.ttft) * 100
    series = {
        "prompt_tokens_total": counters.prompt_tokens,
        "prompt_tokens_cached_total": 0,
        "tokens_predicted_total": finished_tokens,
        "n_decode_total": counters.output_tokens // _TOKENS_A_STEP,
        "requests_processing": counters.running,
        "requests_deferred": counters.waiting,
    }
    return "\n".join([*(f"llamacpp:{name} {value:.6g}" for name, value in series.items()), ""]).encode()
