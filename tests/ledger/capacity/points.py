"""Windows of one deployment, with defaults: four GPUs at 600 W, read all the time."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.ledger.readings import NOON_MS
from tokwatch.ledger.capacity.operating_point import OperatingPoint

MINUTE_MS, FIVE_MS, DAY_MS = 60_000, 300_000, 86_400_000


def point(minute: int = 0, *, width_ms: int = MINUTE_MS, **changes: Any) -> OperatingPoint:
    """The window that begins `minute` minutes after noon: 25 tok/s out per GPU, half of it again in prompts."""
    from_ms = NOON_MS + minute * MINUTE_MS
    usual = OperatingPoint(
        from_ms=from_ms,
        to_ms=from_ms + width_ms,
        gpus=4,
        read_ms=width_ms,
        prompt_tokens=width_ms // 20,
        cached_tokens=0,
        output_tokens=width_ms // 10,
        energy_mj=600 * 4 * width_ms,
        energy_ms=4 * width_ms,
        running_ms=8 * width_ms,
        finished=60,
        latency="tpot",
        latency_n=60,
        latency_us=60 * 20_000,
        good_at_least=60,
        ended_at_most=60,
    )
    return replace(usual, **changes)


def seen(minute: int, out_tok_s: float, tok_s_per_user: float, **changes: Any) -> OperatingPoint:
    """A minute by its throughput per GPU and its interactivity."""
    output, us = round(out_tok_s * 4 * 60), round(60 * 1e6 / tok_s_per_user)
    return point(minute, output_tokens=output, prompt_tokens=output, latency_us=us, **changes)


def five(minute: int, tok_s_per_gpu: float, **changes: Any) -> OperatingPoint:
    """Five minutes by their computed throughput per GPU."""
    tokens = round(tok_s_per_gpu * 4 * 300)
    halves = {"prompt_tokens": tokens // 2, "output_tokens": tokens - tokens // 2}
    return point(minute, width_ms=FIVE_MS, **(halves | changes))
