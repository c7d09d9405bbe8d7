"""The metrics pages of the simulated servers, as vLLM 0.32 and llama-server of 2026 write them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from collectors.readings import Histogram
from tokwatch.demo.load import Counters

_CONTEXT_TOKENS = 32_768  # the longest request that a simulated server takes

# vLLM's own bucket edges.
TTFT_EDGES_S = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
ITL_EDGES_S = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0),
)
REQUEST_EDGES_S = (  # of a whole request and of its time in the queue
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0),
    *(30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
PROMPT_EDGES_TOKENS = tuple(  # 1, 2, 5, 10, … up to the context
    float(edge) for power in range(6) for step in (1, 2, 5) if (edge := step * 10**power) <= _CONTEXT_TOKENS
)
_CUT_OFF_EVERY = 12  # answers that end at their length limit
_CREATED_AFTER_S = 6.5  # from the process's start until its counters exist
_AWAKE = {"awake": 1, "weights_offloaded": 0, "discard_all": 0}
_NOT_REJECTED = {"max_num_queued_reqs": 0, "max_num_queued_tokens": 0}
_SLEEP_WORDS = (
    "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is awake; "
    "weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level 2."
)
_BLOCK_TOKENS = 16
_CACHE_CONFIG = dict(
    label.split("=")
    for label in f"""
    _block_size_resolved=True block_size={_BLOCK_TOKENS} cache_dtype=auto cache_hit_alignment_tokens=None
    effective_attention_block_size={_BLOCK_TOKENS} enable_mamba_shared_prefix_checkpoint=False
    enable_prefix_caching=True engine=0 gpu_memory_utilization=0.92 hash_block_size=None is_attention_free=False
    kv_cache_dtype_skip_layers=[] kv_cache_layout=None kv_cache_memory_bytes=None kv_offloading_backend=native
    kv_offloading_size=None kv_sharing_fast_prefill=False mamba_block_size=None mamba_cache_dtype=auto
    mamba_cache_mode=none mamba_page_size_padded=None mamba_ssm_cache_dtype=float32 num_cpu_blocks=None
    num_gpu_blocks_override=None prefix_cache_retention_interval=0 prefix_caching_hash_algo=sha256
    prefix_match_unit=None replayssm_buffer_len=16 skip_page_size_padded=None sliding_window=None
    swa_bounded_replay=True use_kda_recoverssm=False use_replayssm=False user_specified_block_size=False
    """.split()
)


def vllm_page(model: str, counters: Counters, started_at_s: float) -> bytes:
    """The page of one API server with one engine; started_at_s is Unix seconds."""
    cut_off = counters.finished // _CUT_OFF_EVERY
    computed = counters.prompt_tokens - counters.cached_tokens
    reasons = {"stop": counters.finished - cut_off, "length": cut_off, "abort": 0, "error": 0, "repetition": 0}
    page = _VllmPage(model, started_at_s + _CREATED_AFTER_S)
    page.process_start(started_at_s)
    page.gauge("num_requests_running", "Number of requests in model execution batches.", counters.running)
    page.gauge("num_requests_waiting", "Number of requests waiting to be processed.", counters.waiting)
    page.gauges("engine_sleep_state", _SLEEP_WORDS, "sleep_state", _AWAKE)
    page.gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", counters.kv_usage)
    page.counter("num_preemptions", "Cumulative number of preemption from the engine.", 0)
    page.counter("prompt_tokens", "Number of prefill tokens processed.", counters.prompt_tokens)
    sources = {"local_compute": computed, "local_cache_hit": counters.cached_tokens, "external_kv_transfer": 0}
    page.counters("prompt_tokens_by_source", "Number of prompt tokens by source.", "source", sources)
    page.counter("prompt_tokens_cached", "Number of cached prompt tokens (local + external).", counters.cached_tokens)
    page.counter("generation_tokens", "Number of generation tokens processed.", counters.output_tokens)
    page.counters("request_success", "Count of successfully processed requests.", "finished_reason", reasons)
    rejected = "Number of admission attempts rejected by a queue limit, by reason."
    page.counters("admission_rejections", rejected, "reason", _NOT_REJECTED, by_engine=False)
    page.histogram("request_prompt_tokens", "Number of prefill tokens processed.", counters.prompt_length)
    page.histogram("time_to_first_token_seconds", "Histogram of time to first token in seconds.", counters.ttft)
    page.histogram("inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", counters.itl)
    tpot = "request_time_per_output_token_seconds"
    page.histogram(tpot, "Histogram of time_per_output_token_seconds per request.", counters.tpot)
    page.histogram("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", counters.e2e)
    queue = "Histogram of time spent in WAITING phase for request."
    page.histogram("request_queue_time_seconds", queue, counters.queue)
    page.cache_config(counters.kv_capacity_tokens)
    return page.encoded()


class _VllmPage:
    """Lines as prometheus_client writes them: every value a float, and a `_created` gauge beside each counter."""

    def __init__(self, model: str, created_s: float) -> None:
        self._server = {"model_name": model}
        self._engine = {"engine": "0", **self._server}
        self._created_s = created_s
        self._lines: list[str] = []

    def encoded(self) -> bytes:
        return "\n".join([*self._lines, ""]).encode()

    def gauge(self, name: str, words: str, value: float) -> None:
        self._head(f"vllm:{name}", "gauge", words)
        self._sample(f"vllm:{name}", self._engine, value)

    def gauges(self, name: str, words: str, label: str, values: Mapping[str, float]) -> None:
        """One gauge for each value of `label`."""
        self._head(f"vllm:{name}", "gauge", words)
        for key, value in values.items():
            self._sample(f"vllm:{name}", self._engine | {label: key}, value)

    def process_start(self, started_at_s: float) -> None:
        """The process collector's own line; it has no labels."""
        name = "process_start_time_seconds"
        self._head(name, "gauge", "Start time of the process since unix epoch in seconds.")
        self._lines.append(f"{name} {started_at_s!r}")

    def cache_config(self, kv_tokens: int) -> None:
        """Facts as labels; this line alone does not name the model."""
        labels = _CACHE_CONFIG | {
            "num_gpu_blocks": str(kv_tokens // _BLOCK_TOKENS),
            "kv_cache_size_tokens": str(kv_tokens),
            "kv_cache_max_concurrency": str(kv_tokens / _CONTEXT_TOKENS),
        }
        self._head("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
        self._sample("vllm:cache_config_info", labels, 1)

    def counter(self, name: str, words: str, value: int) -> None:
        self._head(f"vllm:{name}_total", "counter", words)
        self._sample(f"vllm:{name}_total", self._engine, value)
        self._head(f"vllm:{name}_created", "gauge", words)
        self._sample(f"vllm:{name}_created", self._engine, self._created_s)

    def counters(self, name: str, words: str, label: str, values: Mapping[str, int], *, by_engine: bool = True) -> None:
        """One counter for each value of `label`."""
        rows = [((self._engine if by_engine else self._server) | {label: key}, value) for key, value in values.items()]
        self._head(f"vllm:{name}_total", "counter", words)
        for labels, value in rows:
            self._sample(f"vllm:{name}_total", labels, value)
        self._head(f"vllm:{name}_created", "gauge", words)
        for labels, _ in rows:
            self._sample(f"vllm:{name}_created", labels, self._created_s)

    def histogram(self, name: str, words: str, observed: Histogram) -> None:
        self._head(f"vllm:{name}", "histogram", words)
        buckets = _buckets(f"vllm:{name}_bucket", self._server["model_name"], observed.edges)
        self._lines += [f"{bucket} {float(count)!r}" for bucket, count in zip(buckets, observed.counts, strict=True)]
        self._sample(f"vllm:{name}_count", self._engine, observed.counts[-1])
        self._sample(f"vllm:{name}_sum", self._engine, observed.sum)
        self._head(f"vllm:{name}_created", "gauge", words)
        self._sample(f"vllm:{name}_created", self._engine, self._created_s)

    def _head(self, name: str, kind: str, words: str) -> None:
        self._lines += (f"# HELP {name} {words}", f"# TYPE {name} {kind}")

    def _sample(self, name: str, labels: Mapping[str, str], value: float) -> None:
        self._lines.append(f"{_series(name, labels)} {float(value)!r}")


def _series(name: str, labels: Mapping[str, str]) -> str:
    named = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
    return f"{name}{{{named}}}"


@cache
def _buckets(name: str, model: str, edges: tuple[float, ...]) -> tuple[str, ...]:
    """The series of a histogram's buckets: most of a page, and the same on each."""
    labels = {"engine": "0", "model_name": model}
    return tuple(_series(name, labels | {"le": edge}) for edge in (*map(repr, edges), "+Inf"))


def llama_cpp_page(counters: Counters) -> bytes:
    """llama-server's page: no labels, six significant digits, output counted when a request ends."""
    cached = counters.cached_tokens
    computed = counters.prompt_tokens - cached
    per_step = counters.output_tokens / counters.steps if counters.steps else 0.0
    decode_words = "Total number of llama_decode() calls, excluding speculative decoding and multimodal decoding"
    drafted_words = "Speculative: Total draft tokens generated"
    accepted_words = "Speculative: Total draft tokens accepted by the target model"
    series: tuple[tuple[str, str, str, float], ...] = (
        ("prompt_tokens_total", "counter", "Number of prompt tokens processed, excluding cached tokens", computed),
        ("prompt_tokens_cached_total", "counter", "Number of prompt tokens reused from the cache", cached),
        ("tokens_predicted_total", "counter", "Number of generation tokens processed", counters.output_tokens_finished),
        ("n_decode_total", "counter", decode_words, counters.steps),
        ("spec_decode_num_draft_tokens_total", "counter", drafted_words, 0),
        ("spec_decode_num_accepted_tokens_total", "counter", accepted_words, 0),
        ("requests_processing", "gauge", "Number of requests processing", counters.running),
        ("requests_deferred", "gauge", "Number of requests deferred", counters.waiting),
        ("n_busy_slots_per_decode", "gauge", "Average number of busy slots per llama_decode() call", per_step),
    )
    lines: list[str] = []
    for name, kind, words, value in series:
        name = f"llamacpp:{name}"
        lines += (f"# HELP {name} {words}", f"# TYPE {name} {kind}", f"{name} {value:.6g}")
    return "\n".join([*lines, ""]).encode()
