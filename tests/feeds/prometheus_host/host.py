"""A host as its exporter and its engine tell of it: 2 GPUs at 300 W each, one vLLM at 100 tokens a second."""

from __future__ import annotations

from tests.scraped import Scrape

METER = {"job": "gpus", "instance": "h7:9400"}
SERVER = {"job": "engines", "instance": "h7:8000"}
GPUS = 2
WATTS = 300
TOKENS_S = 100


def gpu_page(at_s: float) -> bytes:
    lines = []
    for gpu in range(GPUS):
        labels = f'{{gpu="{gpu}",UUID="GPU-{gpu}",modelName="H100"}}'
        for name, value in (
            ("POWER_USAGE", WATTS),
            ("TOTAL_ENERGY_CONSUMPTION", round(WATTS * 1000 * at_s)),
            ("GPU_UTIL", 90),
            ("FB_USED", 70_000),
        ):
            lines.append(f"DCGM_FI_DEV_{name}{labels} {value}")
    return "\n".join([*lines, ""]).encode()


def engine_page(at_s: float, *, serving: bool = True, started_s: float = 0.0) -> bytes:
    tokens = int(TOKENS_S * (at_s - started_s)) if serving else 0
    labels = '{engine="0",model_name="Qwen3-32B"}'
    values = {
        "num_requests_running": 8 if serving else 0,
        "num_requests_waiting": 0,
        "prompt_tokens_total": tokens * 4,
        "generation_tokens_total": tokens,
    }
    lines = [f"vllm:{name}{labels} {value}" for name, value in values.items()]
    return "\n".join([f"process_start_time_seconds {started_s + 1}", *lines, ""]).encode()


def scrapes(from_s: float, until_s: float, interval_s: float = 15, **engine: bool) -> list[Scrape]:
    """Both targets at every interval, the exporter 4 s after the engine."""
    turns = range(int((until_s - from_s) // interval_s) + 1)
    return [
        scrape
        for at_s in (from_s + turn * interval_s for turn in turns)
        for scrape in (
            Scrape(SERVER, at_s, engine_page(at_s, **engine)),
            Scrape(METER, at_s + 4, gpu_page(at_s + 4)),
        )
        if scrape.at_s <= until_s
    ]
