"""The simulated box: 8× H100 and the servers on them, as scenario text for the driver and loads for the pages.

Second 0 is when the box booted; the demo goes live at LIVE_S. Everything that happens is written down here as waves of
*activity* (0 nothing, 1 all the server can do): the requests that come and the power that is drawn both follow them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tokwatch.demo.engine_pages import ITL_EDGES_S, PROMPT_EDGES_TOKENS, REQUEST_EDGES_S, TTFT_EDGES_S
from tokwatch.demo.load import Load, Observed, Sizes, spread
from tokwatch.demo.waves import Quantity, parse_wave

LIVE_S = 4 * 3600.0

_FREE_W, _RESIDENT_W = 68.0, 128.0  # no process; a CUDA context that keeps the clocks up
_FREE_C, _RESIDENT_C = 34.0, 38.0
_FREE_MHZ, _RESIDENT_MHZ = 345, 1980
_FREE_MIB = 4
_IDLE_BIT, _POWER_CAP_BIT = 1, 4  # NVML clocks event reasons


def _ago(minutes: float) -> float:
    """Second of the scenario, so many minutes before it goes live."""
    return LIVE_S - minutes * 60


@dataclass(frozen=True, slots=True)
class Life:
    """One process group of a server, from its start to its end; its page answers from `up_s` on."""

    pids: tuple[int, ...]  # the listener, then one worker for each GPU
    from_s: float = 0.0
    up_s: float = 0.0
    until_s: float = math.inf

    def __contains__(self, t_s: float) -> bool:
        return self.from_s <= t_s < self.until_s


@dataclass(frozen=True, slots=True)
class SimulatedServer:
    """One inference server: where it runs, when, and what it is asked."""

    engine: str
    model: str
    gpus: tuple[int, ...]
    precision: str
    memory_gib: int  # on each of its GPUs
    full_w: tuple[float, ...]  # power of each of its GPUs at activity 1
    activity: tuple[str, ...]  # waves, see scenario.py
    load: Load
    lives: tuple[Life, ...]

    def life_at(self, t_s: float) -> Life | None:
        return next((life for life in self.lives if t_s in life), None)


def scaled(wave: str, factor: float) -> str:
    """The wave with its levels multiplied, its times as they are."""
    kind, *words = wave.split()
    if kind == "segments":
        pairs = (word.split(":") for word in words)
        return " ".join([kind, *(f"{from_s}:{float(level) * factor!r}" for from_s, level in pairs)])
    levels = {"square": 2, "sine": 1}.get(kind, 0)  # how many of the first words are levels
    if not levels:
        return repr(float(wave) * factor)
    return " ".join([kind, *(repr(float(word) * factor) for word in words[:levels]), *words[levels:]])


def _segments(*points: tuple[float, float]) -> str:
    return " ".join(["segments", *(f"{from_s!r}:{level!r}" for from_s, level in points)])


def _bursts(
    high: float, period_s: int, length_s: int, *, one_ago_min: float, never: Sequence[tuple[float, float]] = ()
) -> tuple[str, ...]:
    """`high` for length_s every period_s, one burst beginning so many minutes before the demo goes live.

    `never`: stretches (from_s, until_s), in order, whose bursts are taken away again by segments below zero. Waves are
    only summed, so that is how to say "unless". A length of a half, quarter, eighth of the period has exact edges.
    """
    phase_s = -_ago(one_ago_min) % period_s
    points = [(0.0, 0.0)]
    for from_s, until_s in never:
        begins_s = from_s - (from_s + phase_s) % period_s
        while begins_s < until_s:
            start_s, end_s = max(begins_s, from_s), min(begins_s + length_s, until_s)
            if start_s < end_s:
                points += [(start_s, -high), (end_s, 0.0)]
            begins_s += period_s
    return f"square 0 {high!r} {period_s} {length_s / period_s!r} {phase_s!r}", _segments(*points)


def _load(
    activity: Sequence[str],
    requests_per_s: float,
    *,
    prompt: float,
    cached: float,
    output: float,
    ttft_s: float,
    ttft_sigma: float,
    queue_s: float,
    tpot_s: float,
    tokens_per_step: int,
    kv_capacity_tokens: int,
) -> Load:
    """A load from what characterises it; requests_per_s is that of activity 1, `cached` the share of the prompt."""
    prompts, outputs = spread(prompt, 0.6), spread(output, 0.5)
    ttft, tpot = spread(ttft_s, ttft_sigma), spread(tpot_s, 0.12)
    e2e = [first + each * tokens for first, each, tokens in zip(ttft, tpot, outputs, strict=True)]
    sizes = Sizes(prompts)
    return Load(
        requests_per_s=Quantity(tuple(parse_wave(scaled(wave, requests_per_s)) for wave in activity)),
        prompt_tokens=sizes,
        cached_tokens=Sizes([cached * tokens for tokens in prompts]),
        output_tokens=Sizes(outputs),
        queue_s=queue_s,
        prefill_s=ttft_s - queue_s,
        decode_s=output * tpot_s,
        tokens_per_step=tokens_per_step,
        kv_capacity_tokens=kv_capacity_tokens,
        ttft=Observed(TTFT_EDGES_S, ttft),
        itl=Observed(ITL_EDGES_S, spread(tpot_s, 0.3)),
        tpot=Observed(ITL_EDGES_S, tpot),
        e2e=Observed(REQUEST_EDGES_S, e2e),
        queue=Observed(REQUEST_EDGES_S, [first * queue_s / ttft_s for first in ttft]),
        prompt_length=Observed(PROMPT_EDGES_TOKENS, sizes.tokens),
    )


def _qwen() -> SimulatedServer:
    """Steady, on four GPUs."""
    activity = ("0.86", "sine 0.05 3600", "sine 0.06 310", "sine 0.02 47")
    load = _load(
        activity,
        20.6,
        prompt=1500,
        cached=0.45,
        output=350,
        ttft_s=0.25,
        ttft_sigma=0.5,
        queue_s=0.02,
        tpot_s=0.030,
        tokens_per_step=180,
        kv_capacity_tokens=740_000,
    )
    lives = (Life((4100, 4111, 4112, 4113, 4114)),)
    full_w = (690.0, 674.0, 700.0, 681.0)
    return SimulatedServer("vllm", "Qwen3-32B", (0, 1, 2, 3), "fp8", 71, full_w, activity, load, lives)


def _gpt_oss() -> SimulatedServer:
    """Near its limit: its KV cache is almost full and requests wait."""
    activity = ("0.92", "sine 0.03 900", "sine 0.03 83")
    load = _load(
        activity,
        7.5,
        prompt=1400,
        cached=0.3,
        output=420,
        ttft_s=0.6,
        ttft_sigma=0.55,
        queue_s=0.45,
        tpot_s=0.022,
        tokens_per_step=64,
        kv_capacity_tokens=110_000,
    )
    return SimulatedServer("vllm", "gpt-oss-120b", (4,), "mxfp4", 77, (708.0,), activity, load, (Life((4200, 4211)),))


def _llama(gpu: int, activity: tuple[str, ...], pids: tuple[int, int]) -> SimulatedServer:
    load = _load(
        activity,
        12.8,
        prompt=800,
        cached=0.4,
        output=260,
        ttft_s=0.2,
        ttft_sigma=0.5,
        queue_s=0.02,
        tpot_s=0.019,
        tokens_per_step=48,
        kv_capacity_tokens=400_000,
    )
    return SimulatedServer("llama.cpp", "Llama-3.1-8B", (gpu,), "bf16", 66, (690.0,), activity, load, (Life(pids),))


def _llama_first() -> SimulatedServer:
    """Busy but for one idle stretch."""
    idle = (_ago(92), _ago(76))
    activity = (
        _segments((0.0, 0.66), (idle[0], 0.0), (idle[1], 0.66)),
        *_bursts(0.10, 2400, 1200, one_ago_min=16, never=[idle]),
        *_bursts(0.06, 320, 80, one_ago_min=15, never=[idle]),
        *_bursts(0.05, 96, 24, one_ago_min=15, never=[idle]),
    )
    return _llama(5, activity, (4300, 4301))


def _llama_replica() -> SimulatedServer:
    """Bursts on a steady load until its requests stop: parked for 41 minutes when the demo goes live, when only the
    bursts go on."""
    idle, parked = (_ago(172), _ago(157)), (_ago(41.5), LIVE_S)
    activity = (
        _segments((0.0, 0.4), (idle[0], 0.0), (idle[1], 0.4), (parked[0], 0.0)),
        *_bursts(0.4, 1440, 180, one_ago_min=44.5, never=[idle, parked]),
    )
    return _llama(6, activity, (4400, 4401))


def _mistral() -> SimulatedServer:
    """Parked, restarted, serving, and gone two hours before the demo goes live: its GPU is free since."""
    activity = (_segments((0.0, 0.5), (_ago(195), 0.0), (_ago(157), 0.7), (_ago(125.5), 0.0)),)
    load = _load(
        activity,
        8.1,
        prompt=1000,
        cached=0.35,
        output=300,
        ttft_s=0.2,
        ttft_sigma=0.5,
        queue_s=0.02,
        tpot_s=0.024,
        tokens_per_step=40,
        kv_capacity_tokens=260_000,
    )
    lives = (
        Life((4500, 4511), until_s=_ago(163)),
        Life((4600, 4611), from_s=_ago(163), up_s=_ago(157.2), until_s=_ago(125)),
    )
    return SimulatedServer("vllm", "Mistral-Small-24B", (7,), "bf16", 72, (670.0,), activity, load, lives)


FLEET = (_qwen(), _gpt_oss(), _llama_first(), _llama_replica(), _mistral())
GPU_COUNT = 8


def scenario_text() -> str:
    """The box for the simulated driver."""
    lines = ["driver 580.82.07", "cuda 13000", "t0_ns 0"]
    for index in range(GPU_COUNT):
        lines += _gpu_lines(index)
    return "\n".join(lines)


def _gpu_lines(index: int) -> list[str]:
    server = next(server for server in FLEET if index in server.gpus)
    rank = server.gpus.index(index)
    uuid = f"uuid GPU-8f2a6d10-5c3e-4b71-9a0d-{0x3D1C77A0 + 0x10001 * index:012x}"
    lines = ["gpu NVIDIA H100 80GB HBM3", uuid, "limit_w 700"]
    for life in server.lives:
        until = "" if life.until_s == math.inf else f" {life.until_s!r}"
        lines.append(f"process {life.pids[1 + rank]} {server.memory_gib * 1024 - 400} {life.from_s!r}{until}")
    held = [("power_w", _FREE_W, _RESIDENT_W), ("temperature_c", _FREE_C, _RESIDENT_C - rank % 2)]
    held += [("memory_temperature_c", _FREE_C + 4, _RESIDENT_C + 6), ("sm_clock_mhz", _FREE_MHZ, _RESIDENT_MHZ)]
    held += [("memory_used_mib", _FREE_MIB, server.memory_gib * 1024.0), ("throttle", _IDLE_BIT, 0)]
    lines += [f"{quantity} {_while_alive(server, free, alive)}" for quantity, free, alive in held]
    if server.full_w[rank] > 700:
        lines.append(f"throttle {_POWER_CAP_BIT}")
    full = [("power_w", server.full_w[rank] - _RESIDENT_W), ("utilization_percent", 98.0)]
    full += [("tensor_percent", 34.0), ("dram_percent", 66.0)]
    full += [("memory_utilization_percent", 61.0), ("temperature_c", 26.0), ("memory_temperature_c", 38.0)]
    lines += [f"{quantity} {scaled(wave, span)}" for quantity, span in full for wave in server.activity]
    return lines


def _while_alive(server: SimulatedServer, free: float, alive: float) -> str:
    """One level while the server has a process, another while it has none."""
    points: dict[float, float] = {0.0: free}
    for life in server.lives:
        points[life.from_s] = alive
        if life.until_s < math.inf:
            points[life.until_s] = free
    return _segments(*sorted(points.items()))
