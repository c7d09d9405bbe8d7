"""Latency limits of MLPerf Inference, as presets of an SLO."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.slo import Slo

# (TTFT, TPOT) in milliseconds that 99 % of requests must meet: inference policies of MLCommons, as of July 2026.
_SERVER: Final = {
    "llama-3.1-8b": (2000, 100),
    "llama-2-70b": (2000, 200),
    "mixtral-8x7b": (2000, 200),
    "llama-3.1-405b": (6000, 175),
    "deepseek-r1": (2000, 80),
    "gpt-oss-120b": (3000, 80),
}
_INTERACTIVE: Final = {
    "llama-3.1-8b": (500, 30),
    "llama-2-70b": (450, 40),
    "llama-3.1-405b": (4500, 80),
    "deepseek-r1": (1500, 15),
    "gpt-oss-120b": (2000, 20),
}

PRESETS: Final = {
    f"mlperf-{scenario}:{model}": Slo(ttft_ms / 1000, tpot_ms / 1000, target=0.99)
    for scenario, limits in (("server", _SERVER), ("interactive", _INTERACTIVE))
    for model, (ttft_ms, tpot_ms) in limits.items()
}
