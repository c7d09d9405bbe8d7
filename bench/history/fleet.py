"""The box that is recorded: 8 GPUs and 4 vLLM servers on pairs of them, with the noise of real meters and traffic."""

from __future__ import annotations

from dataclasses import replace

from bench.history.noise import Noise
from tokwatch.demo.scenario import Scenario, parse
from tokwatch.demo.waves import During, Quantity, Wave

GPUS, SERVERS = 8, 4
_SIGMAS = {"power_w": 14.0, "utilization_percent": 2.0, "temperature_c": 0.4, "sm_clock_mhz": 12.0}
_SIGMAS |= {"memory_temperature_c": 0.4, "tensor_percent": 1.5, "dram_percent": 2.0}
_METER_MS = 30  # no divisor of a second: or power × a second would be the energy, to the millijoule
_IDLE_POWER_SIGMA = 0.3
_TRAFFIC_SIGMA = 0.06  # of all that a server can do
_BUSY_SPAN_S = 40 * 60.0  # the last server idles as long again
_DAY_S = 86_400.0

_TEXT = """
host bench
begins 2025-10-06T00:00:00+00:00
timezone UTC
t0_ns 0
gpu NVIDIA H100 80GB HBM3
  uuid GPU-5a0e2d3c-71b4-4f9e-8c55-10d200000000
  limit_w 700
  power_w 68
  temperature_c 34
  memory_temperature_c 38
  sm_clock_mhz 345
  memory_used_mib 4
  throttle 1
  alike 7
"""
_SERVER = """
server vllm {model}
  gpus {gpus}
  memory_gib 71
  busy_w {busy_w}
  {activity}
  requests_per_s {requests_per_s}
  prompt_tokens {prompt_tokens}
  cached_share 0.4
  output_tokens {output_tokens}
  queue_s 0.04
  ttft_s 0.3
  tpot_s 0.028
  tokens_per_step 120
  kv_tokens 600000
"""
_SERVERS = (
    {"model": "Qwen3-32B", "busy_w": "552 541", "requests_per_s": 14, "prompt_tokens": 1500, "output_tokens": 350}
    | {"activity": "activity 0.7\n  activity sine 0.1 3600\n  activity sine 0.03 47"},
    {"model": "gpt-oss-120b", "busy_w": "580 570", "requests_per_s": 6, "prompt_tokens": 2400, "output_tokens": 620}
    | {"activity": "activity 0.55\n  activity sine 0.15 86400"},
    {"model": "Llama-3.1-8B", "busy_w": "520 510", "requests_per_s": 40, "prompt_tokens": 820, "output_tokens": 250}
    | {"activity": "activity square 0.3 0.75 420 0.3"},
    {"model": "Mistral-24B", "busy_w": "542 538", "requests_per_s": 9, "prompt_tokens": 1000, "output_tokens": 300}
    | {"activity": "activity square 0 0.6 4800 0.5"},
)


def fleet(length_s: float) -> Scenario:
    """The box; its noise repeats after `length_s`."""
    servers = "".join(
        _SERVER.format(gpus=f"{2 * number}-{2 * number + 1}", **words) for number, words in enumerate(_SERVERS)
    )
    scenario = parse(_TEXT + servers)
    scenario.servers = [
        replace(server, activity=(*server.activity, _while_busy(number, _TRAFFIC_SIGMA, "traffic", length_s, 0.8)))
        for number, server in enumerate(scenario.servers)
    ]
    for gpu in scenario.gpus:
        gpu.energy_tick_ms = _METER_MS
        for name, sigma in _SIGMAS.items():
            quantity: Quantity = getattr(gpu, name)
            noise = _while_busy(gpu.index // 2, sigma, f"{name} of GPU {gpu.index}", length_s)
            setattr(gpu, name, Quantity((*quantity.waves, noise)))
        idle_noise = Noise(_IDLE_POWER_SIGMA, f"idle power of GPU {gpu.index}", step_s=0.5, length_s=length_s)
        gpu.power_w = Quantity((*gpu.power_w.waves, idle_noise))
    return scenario


def _while_busy(server: int, sigma: float, seed: str, length_s: float, memory: float = 0.6) -> Wave:
    """Noise of what a server makes: none while it idles, for nothing is less than nothing."""
    noise: Wave = Noise(sigma, seed, step_s=0.5, length_s=length_s, memory=memory)
    if server < SERVERS - 1:
        return noise
    starts = (turn * 2 * _BUSY_SPAN_S for turn in range(round(_DAY_S / _BUSY_SPAN_S)))
    return During(noise, 1.0, tuple((start, start + _BUSY_SPAN_S) for start in starts))
