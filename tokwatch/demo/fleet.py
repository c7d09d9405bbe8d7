"""The simulated box of the demo, 8× H100 and the servers on them, as scenario text.

Second 0 is when the box booted; the demo goes live at LIVE_S. Everything that happens is written down here as waves of
*activity* (0 nothing, 1 all the server can do): the requests that come and the power that is drawn both follow them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.demo.scenario import parse

LIVE_S = 4 * 3600.0


def _ago(minutes: float) -> float:
    """Second of the scenario, so many minutes before it goes live."""
    return LIVE_S - minutes * 60


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


def _waves(*waves: str) -> str:
    return "".join(f"\n  activity {wave}" for wave in waves)


def _phase(period_s: float, cycles: float) -> float:
    """Of a sine that has done so much of a cycle when the demo goes live."""
    return cycles * period_s - LIVE_S % period_s


_GPU = """
gpu NVIDIA H100 80GB HBM3
  limit_w 700
  power_w 68
  temperature_c 34
  memory_temperature_c 38
  sm_clock_mhz 345
  memory_used_mib 4
  throttle 1  # idle
"""
_IDLE = (_ago(92), _ago(76))  # of the first llama-server …
_IDLE_REPLICA, _PARKED = (_ago(172), _ago(157)), (_ago(41.5), LIVE_S)  # … and of the second
_FULL = _ago(7)
_LLAMA = """
server llama.cpp Llama-3.1-8B
  precision bf16
  memory_gib 66
  busy_w 562
  requests_per_s 12.8
  prompt_tokens 800
  cached_share 0.4
  output_tokens 260
  queue_s 0.02
  ttft_s 0.2
  tpot_s 0.0095 0.026
  tokens_per_step 48
  kv_tokens 400000
"""
TEXT = f"""
t0_ns 0
{_GPU}
  uuid GPU-8f2a6d10-5c3e-4b71-9a0d-00003d1c77a0
  alike 3
{_GPU}
  uuid GPU-8f2a6d10-5c3e-4b71-9a0d-00003d1c77a4
  throttle 4                    # and its power is capped
{_GPU}
  uuid GPU-8f2a6d10-5c3e-4b71-9a0d-00003d1c77a5
  alike 2

server vllm Qwen3-32B           # as busy as people make it: now too slow for them, now too dear
  gpus 0-3
  precision fp8
  memory_gib 71
  busy_w 570 554 580 562
  activity 0.70
  activity sine 0.15 5200 {_phase(5200, -0.05)}
  activity sine 0.04 1100 {_phase(1100, 0.98)}
  activity sine 0.03 310
  activity sine 0.06 47
  slowed 0.05                   # by long prompts, and by more of them now and then
  slowed sine 0.04 700
  slowed sine 0.01 170
  slowed {_segments((0.0, 0.0), (_ago(140), 0.15), (_ago(134), 0.0), (_ago(114), 0.25), (_ago(105), 0.0))}
  slowed {_segments((0.0, 0.0), (_ago(62), 0.15), (_ago(57), 0.0), (_ago(48), 0.12), (_ago(43), 0.0))}
  requests_per_s 24.5
  prompt_tokens 1500
  cached_share 0.45
  output_tokens 350
  queue_s 0.02
  ttft_s 0.25
  tpot_s 0.0091 0.042
  tokens_per_step 180
  kv_tokens 740000

server vllm gpt-oss-120b        # over its limit for some minutes: its KV cache is full, requests wait
  gpus 4
  precision mxfp4
  memory_gib 77
  busy_w 580
  activity {_segments((0.0, 0.62), (_FULL, 0.92))}
  activity sine 0.02 900
  activity sine 0.02 83
  requests_per_s 7.5
  prompt_tokens 1400
  cached_share 0.3
  output_tokens 420
  queue_s 0.0002 5
  ttft_s 0.2 0.55
  tpot_s 0.008 0.024
  tokens_per_step 64
  kv_tokens 86000

{_LLAMA}                        # busy but for one idle stretch
  gpus 5
  {
    _waves(
        _segments((0.0, 0.66), (_IDLE[0], 0.0), (_IDLE[1], 0.66)),
        *_bursts(0.10, 2400, 1200, one_ago_min=16, never=[_IDLE]),
        *_bursts(0.06, 320, 80, one_ago_min=15, never=[_IDLE]),
        *_bursts(0.05, 96, 24, one_ago_min=15, never=[_IDLE]),
    )
}

{_LLAMA}                        # bursts on a steady load until its requests stop: parked when the demo goes live
  gpus 6
  {
    _waves(
        _segments((0.0, 0.4), (_IDLE_REPLICA[0], 0.0), (_IDLE_REPLICA[1], 0.4), (_PARKED[0], 0.0)),
        *_bursts(0.4, 1440, 180, one_ago_min=44.5, never=[_IDLE_REPLICA, _PARKED]),
    )
}

server vllm Mistral-Small-24B   # parked, restarted, serving, and gone two hours before the demo goes live
  gpus 7
  up 0 0 {_ago(163)}
  up {_ago(163)} {_ago(157.2)} {_ago(125)}
  precision bf16
  memory_gib 72
  busy_w 542
  activity {_segments((0.0, 0.5), (_ago(195), 0.0), (_ago(157), 0.7), (_ago(125.5), 0.0))}
  requests_per_s 8.1
  prompt_tokens 1000
  cached_share 0.35
  output_tokens 300
  queue_s 0.02
  ttft_s 0.2
  tpot_s 0.012 0.032
  tokens_per_step 40
  kv_tokens 260000
"""
SCENARIO = parse(TEXT)
FLEET = tuple(SCENARIO.servers)
GPU_COUNT = len(SCENARIO.gpus)
