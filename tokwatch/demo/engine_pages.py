"""The metrics pages of the simulated servers, as vLLM 0.32 and llama-server of 2026 write them."""

from __future__ import annotations

from collectors.readings import Histogram
from tokwatch.demo.load import Counters

# vLLM's own bucket edges, seconds.
TTFT_EDGES_S = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
ITL_EDGES_S = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0),
)
E2E_EDGES_S = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0),
    *(30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
_CUT_OFF_EVERY = 12  # answers that end at their length limit
_CREATED_AFTER_S = 6.5  # from the process's start until its counters exist


def vllm_page(model: str, counters: Counters, started_at_s: float) -> bytes:
    """The page of one API server with one engine; started_at_s is Unix seconds."""
    cut_off = counters.finished // _CUT_OFF_EVERY
    computed = counters.prompt_tokens - counters.cached_tokens
    reasons = {"stop": counters.finished - cut_off, "length": cut_off, "abort": 0, "error": 0, "repetition": 0}
    page = _VllmPage({"engine": "0", "model_name": model}, started_at_s + _CREATED_AFTER_S)
    page.process_start(started_at_s)
    page.gauge("num_requests_running", "Number of requests in model execution batches.", counters.running)
    page.gauge("num_requests_waiting", "Number of requests waiting to be processed.", counters.waiting)
    page.gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", counters.kv_usage)
    page.counter("num_preemptions", "Cumulative number of preemption from the engine.", 0)
    page.counter("prompt_tokens", "Number of prefill tokens processed.", counters.prompt_tokens)
    sources = {"local_compute": computed, "local_cache_hit": counters.cached_tokens, "external_kv_transfer": 0}
    page.counters("prompt_tokens_by_source", "Number of prompt tokens by source.", "source", sources)
    page.counter("prompt_tokens_cached", "Number of cached prompt tokens (local + external).", counters.cached_tokens)
    page.counter("generation_tokens", "Number of generation tokens processed.", counters.output_tokens)
    page.counters("request_success", "Count of successfully processed requests.", "finished_reason", reasons)
    page.histogram("time_to_first_token_seconds", "Histogram of time to first token in seconds.", counters.ttft)
    page.histogram("inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", counters.itl)
    tpot = "request_time_per_output_token_seconds"
    page.histogram(tpot, "Histogram of time_per_output_token_seconds per request.", counters.tpot)
    page.histogram("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", counters.e2e)
    return page.encoded()


class _VllmPage:
    """Lines as prometheus_client writes them: every value a float, and a `_created` gauge beside each counter."""

    def __init__(self, labels: dict[str, str], created_s: float) -> None:
        self._labels = labels
        self._created_s = created_s
        self._lines: list[str] = []

    def encoded(self) -> bytes:
        return "\n".join([*self._lines, ""]).encode()

    def gauge(self, name: str, words: str, value: float) -> None:
        self._head(f"vllm:{name}", "gauge", words)
        self._sample(f"vllm:{name}", value)

    def process_start(self, started_at_s: float) -> None:
        """The process collector's own line; it has no labels."""
        name = "process_start_time_seconds"
        self._head(name, "gauge", "Start time of the process since unix epoch in seconds.")
        self._lines.append(f"{name} {started_at_s!r}")

    def counter(self, name: str, words: str, value: int) -> None:
        self._head(f"vllm:{name}_total", "counter", words)
        self._sample(f"vllm:{name}_total", value)
        self._head(f"vllm:{name}_created", "gauge", words)
        self._sample(f"vllm:{name}_created", self._created_s)

    def counters(self, name: str, words: str, label: str, values: dict[str, int]) -> None:
        """One counter for each value of `label`."""
        self._head(f"vllm:{name}_total", "counter", words)
        for key, value in values.items():
            self._sample(f"vllm:{name}_total", value, **{label: key})
        self._head(f"vllm:{name}_created", "gauge", words)
        for key in values:
            self._sample(f"vllm:{name}_created", self._created_s, **{label: key})

    def histogram(self, name: str, words: str, observed: Histogram) -> None:
        self._head(f"vllm:{name}", "histogram", words)
        for edge, count in zip((*map(repr, observed.edges), "+Inf"), observed.counts, strict=True):
            self._sample(f"vllm:{name}_bucket", count, le=edge)
        self._sample(f"vllm:{name}_count", observed.counts[-1])
        self._sample(f"vllm:{name}_sum", observed.sum)
        self._head(f"vllm:{name}_created", "gauge", words)
        self._sample(f"vllm:{name}_created", self._created_s)

    def _head(self, name: str, kind: str, words: str) -> None:
        self._lines += (f"# HELP {name} {words}", f"# TYPE {name} {kind}")

    def _sample(self, name: str, value: float, **labels: str) -> None:
        named = ",".join(f'{key}="{text}"' for key, text in sorted((self._labels | labels).items()))
        self._lines.append(f"{name}{{{named}}} {float(value)!r}")


def llama_cpp_page(counters: Counters) -> bytes:
    """llama-server's page: no labels, six significant digits, output counted when a request ends."""
    cached = counters.cached_tokens
    computed = counters.prompt_tokens - cached
    per_step = counters.output_tokens / counters.steps if counters.steps else 0.0
    decode_words = "Total number of llama_decode() calls, excluding speculative decoding and multimodal decoding"
    series: tuple[tuple[str, str, str, float], ...] = (
        ("prompt_tokens_total", "counter", "Number of prompt tokens processed, excluding cached tokens", computed),
        ("prompt_tokens_cached_total", "counter", "Number of prompt tokens reused from the cache", cached),
        ("tokens_predicted_total", "counter", "Number of generation tokens processed", counters.output_tokens_finished),
        ("n_decode_total", "counter", decode_words, counters.steps),
        ("requests_processing", "gauge", "Number of requests processing", counters.running),
        ("requests_deferred", "gauge", "Number of requests deferred", counters.waiting),
        ("n_busy_slots_per_decode", "gauge", "Average number of busy slots per llama_decode() call", per_step),
    )
    lines: list[str] = []
    for name, kind, words, value in series:
        name = f"llamacpp:{name}"
        lines += (f"# HELP {name} {words}", f"# TYPE {name} {kind}", f"{name} {value:.6g}")
    return "\n".join([*lines, ""]).encode()
