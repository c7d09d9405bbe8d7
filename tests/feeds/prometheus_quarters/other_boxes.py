"""Two boxes beside those of the known day, for its first two hours: one with an agent, one in Kubernetes.

`box-c`: one GPU, watched by tokwatch's agent; its vLLM is scraped too, so every token is told twice. The agent judged
half of each minute SERVING and half PARKED, which no scrape of gauges could tell.
`box-d`: dcgm-exporter in a pod names the pods that have its two GPUs. The first is a vLLM's, which is scraped under an
address that says nothing of the host; the second is a training's until 01:00, and nobody's from then on.
"""

from __future__ import annotations

from typing import Final

from tests.feeds.prometheus_quarters.known_day import LLAMA, QWEN, START_S, STEP_S, KnownDay, Labels, Series

HOURS: Final = 2
TRAINING_ENDS_S: Final = 3600
_STEPS: Final = HOURS * 240
_H200 = "NVIDIA H200"


def add_agents_box(day: KnownDay) -> None:
    agent = (("instance", "box-c:9433"), ("job", "tokwatch"))
    gpu = (("gpu", "0"), ("uuid", "GPU-box-c-0"), ("model_name", _H200), *agent)
    server = (("server", "127.0.0.1:8000"), ("engine", "vllm"), ("model", QWEN), *agent)
    scraped = (("instance", "box-c:8000"), ("job", "vllm"), ("model_name", QWEN))
    for step in range(-20, _STEPS + 1):
        at_s, count = START_S + step * STEP_S, step + 20
        for name, labels, value in (
            ("tokwatch_gpu_power_watts", gpu, 250.0),
            ("tokwatch_gpu_energy_joules_total", gpu, count * 3750.0),
            ("tokwatch_gpu_idle_energy_joules_total", gpu, count * 750.0),
            ("tokwatch_gpu_utilization_ratio", gpu, 0.5),
            ("tokwatch_gpu_memory_used_bytes", gpu, 70e9),
            ("tokwatch_gpu_state_seconds_total", (*gpu, ("state", "serving")), count * 7.5),
            ("tokwatch_gpu_state_seconds_total", (*gpu, ("state", "parked")), count * 7.5),
            ("tokwatch_prompt_tokens_total", server, count * 100.0),
            ("tokwatch_output_tokens_total", server, count * 40.0),
            ("tokwatch_requests_total", (*server, ("outcome", "finished")), float(count)),
            ("tokwatch_server_up", server, 1.0),
            ("vllm:prompt_tokens_total", scraped, count * 100.0),
            ("vllm:generation_tokens_total", scraped, count * 40.0),
            ("vllm:num_requests_running", scraped, 3.0),
        ):
            day.samples[Series(name, labels)].append((at_s, value))


def add_box_of_pods(day: KnownDay) -> None:
    exporter: Labels = (("Hostname", "box-d"), ("modelName", _H200), ("instance", "10.0.0.2:9400"), ("job", "dcgm"))
    exporter += (("pod", "dcgm-exporter-x7k"), ("namespace", "monitoring"))
    vllm = (("instance", "10.0.7.31:8000"), ("job", "pods"), ("namespace", "ai"), ("pod", "llm-0"))
    for step in range(-20, _STEPS + 1):
        at_s, count = START_S + step * STEP_S, step + 20
        for number, power_w in enumerate((500, 650 if at_s <= START_S + TRAINING_ENDS_S else 100)):
            pod = "llm-0" if number == 0 else "train-1" if at_s <= START_S + TRAINING_ENDS_S else ""
            labels: Labels = (("UUID", f"GPU-box-d-{number}"), ("gpu", str(number)), *exporter)
            labels += (("exported_pod", pod), ("exported_namespace", "ai")) if pod else ()
            trained_s = min(max(0, at_s - START_S), TRAINING_ENDS_S)
            energy_mj = count * STEP_S * 500_000
            if number:
                energy_mj = 9_000_000_000 + trained_s * 650_000 + max(0, at_s - START_S - TRAINING_ENDS_S) * 100_000
            for name, value in (
                ("TOTAL_ENERGY_CONSUMPTION", energy_mj),
                ("POWER_USAGE", power_w),
                ("GPU_UTIL", 95 if power_w > 100 else 0),
                ("FB_USED", 70_000 if pod else 300),
            ):
                day.samples[Series(f"DCGM_FI_DEV_{name}", labels)].append((at_s, value))
        for name, value in (
            ("vllm:prompt_tokens_total", count * 50),
            ("vllm:generation_tokens_total", count * 30),
            ("vllm:num_requests_running", 2),
        ):
            day.samples[Series(name, (*vllm, ("model_name", LLAMA)))].append((at_s, value))
