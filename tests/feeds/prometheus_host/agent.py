"""The same host as its tokwatch agent tells of it: that began a while ago, and counts from then."""

from __future__ import annotations

from tests.feeds.prometheus_host.host import GPUS, TOKENS_S, WATTS
from tests.scraped import Scrape

AGENT = {"job": "tokwatch", "instance": "h7:9476"}
VLLM = "127.0.0.1:8000"
SGLANG = "127.0.0.1:30000"
SGLANG_TOKENS_S = 40


def agent_page(
    at_s: float, *, began_s: float = 0.0, servers: tuple[str, ...] = (VLLM, SGLANG), up: bool = True
) -> bytes:
    """Two GPUs, of which one is busy by what the page says, and servers of two engines."""
    counted_s = at_s - began_s
    lines = ['tokwatch_build_info{version="0.1.0"} 1']
    for gpu in range(GPUS):
        labels = f'gpu="{gpu}",uuid="GPU-{gpu}",model_name="H100"'
        lines.append(f'tokwatch_gpu_info{{{labels},driver="575.1",kind="gpu",meter="NVML",power_scope="module"}} 1')
        for name, value in (
            ("energy_joules_total", WATTS * counted_s),
            ("power_watts", WATTS),
            ("utilization_ratio", 0.9),
            ("memory_used_bytes", 70_000 << 20),
            ("memory_total_bytes", 81_920 << 20),
            ("temperature_celsius", 60),
        ):
            lines.append(f"tokwatch_gpu_{name}{{{labels}}} {value}")
        lines.append(f'tokwatch_gpu_state{{{labels},state="serving"}} 1')
    for address, engine, model, tokens_s in (
        (VLLM, "vllm", "Qwen3-32B", TOKENS_S),
        (SGLANG, "sglang", "Llama-3.1-8B", SGLANG_TOKENS_S),
    ):
        if address not in servers:
            continue
        labels = f'server="{address}",engine="{engine}",model="{model}"'
        tokens = int(tokens_s * counted_s)
        lines.append(f"tokwatch_server_up{{{labels}}} {int(up)}")
        if up:
            lines.append(f"tokwatch_requests_running{{{labels}}} 8")
            lines.append(f"tokwatch_requests_waiting{{{labels}}} 0")
            lines.append(f"tokwatch_kv_cache_usage_ratio{{{labels}}} 0.25")
        lines.append(f"tokwatch_prompt_tokens_total{{{labels}}} {tokens * 4}")
        lines.append(f"tokwatch_cached_tokens_total{{{labels}}} {tokens}")
        lines.append(f"tokwatch_output_tokens_total{{{labels}}} {tokens}")
        for outcome, count in (("finished", tokens // 100), ("failed", 3), ("aborted", 2)):
            lines.append(f'tokwatch_requests_total{{{labels},outcome="{outcome}"}} {count}')
    return "\n".join([*lines, ""]).encode()


def agent_scrapes(from_s: float, until_s: float, interval_s: float = 15, began_s: float | None = None) -> list[Scrape]:
    """At every interval, 7 s after the engine's own page. began_s: 1000 s before, unless told otherwise."""
    began_s = from_s - 1000 if began_s is None else began_s
    turns = range(int((until_s - from_s - 7) // interval_s) + 1)
    instants = (from_s + 7 + turn * interval_s for turn in turns)
    return [Scrape(AGENT, at_s, agent_page(at_s, began_s=began_s)) for at_s in instants]
