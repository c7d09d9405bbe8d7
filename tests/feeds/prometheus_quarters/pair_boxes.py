"""Boxes beside those of the known day, for its first two hours, on which several servers see the same tokens.

`box-p`, `box-q`: a GPU each; an SGLang that prefills, and one that decodes, as their pages say. The first counts one
output token a request and the prompt, the second every output token and the prompt again.
`box-r`, `box-s`: the same of two Dynamo workers with vLLM. The one that decodes is called "backend": it does not say
so. Dynamo's frontend, without a GPU, counts everything once more.
box-p's BMC is asked by ipmi_exporter: two supplies. A BMC that nobody gave a host to is of no box.
`box-g`: LiteLLM before all of it, which calls SGLang's model by its name and Dynamo's by another, and knows the teams.
"""

from __future__ import annotations

from typing import Final

from tests.feeds.prometheus_quarters.known_day import START_S, STEP_S, KnownDay, Labels, Series

HOURS: Final = 2
SGLANG_MODEL, DYNAMO_MODEL, ALIAS = "zai-org/GLM-5", "moonshotai/Kimi-K3", "our-best"
PROMPT, CACHED, OUTPUT, REQUESTS = 600, 200, 150, 2  # of each model, of every step
PREFILL_W, DECODE_W = 500, 300
SUPPLIES_W = (410, 390)  # of box-p
_STEPS: Final = HOURS * 240


def add_pairs(day: KnownDay) -> None:
    for step in range(-20, _STEPS + 1):
        _Step(day, step).tell()


class _Step:
    def __init__(self, day: KnownDay, step: int) -> None:
        self._day, self._at_s, self._count = day, START_S + step * STEP_S, step + 20

    def tell(self) -> None:
        for box, power_w in (("p", PREFILL_W), ("q", DECODE_W), ("r", PREFILL_W), ("s", DECODE_W)):
            gpu = (("Hostname", f"box-{box}"), ("UUID", f"GPU-box-{box}"), ("gpu", "0"), ("modelName", "NVIDIA H200"))
            labels = (*gpu, ("instance", f"box-{box}:9400"), ("job", "dcgm"))
            self._add("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", labels, self._count * STEP_S * power_w * 1000)
            self._told("DCGM_FI_DEV_POWER_USAGE", labels, power_w)
            self._told("DCGM_FI_DEV_GPU_UTIL", labels, 90)
            self._told("DCGM_FI_DEV_FB_USED", labels, 70_000)
        for number, watts in enumerate(SUPPLIES_W, 1):
            of_box: Labels = (("instance", "10.0.9.1"), ("job", "ipmi"), ("host", "box-p"))
            for bmc in (of_box, (("instance", "10.0.9.77"), ("job", "ipmi"))):
                self._told("ipmi_power_watts", (*bmc, ("name", f"PS{number} Input Power")), watts)
                self._told("ipmi_power_watts", (*bmc, ("name", f"PS{number} Output Power")), watts - 30)
        for box, role, output in (("p", "prefill", REQUESTS), ("q", "decode", OUTPUT)):
            self._sglang(_target(box, 30000, "sglang", ("engine_type", role), ("model_name", SGLANG_MODEL)), output)
        for box, component, output in (("r", "prefill", REQUESTS), ("s", "backend", OUTPUT)):
            worker = (("dynamo_namespace", "kimi"), ("dynamo_component", component), ("model_name", DYNAMO_MODEL))
            self._vllm(_target(box, 9090, "workers", *worker), output)
        self._dynamo(_target("f", 8080, "frontend", ("model", DYNAMO_MODEL.lower())))
        for model in (SGLANG_MODEL, ALIAS):
            for team, share in (("search", 2), ("chat", 1)):
                self._litellm(_target("g", 4000, "gateway", ("requested_model", model), ("team_alias", team)), share)

    def _sglang(self, labels: Labels, output: int) -> None:
        self._add("sglang:prompt_tokens_total", labels, self._count * PROMPT)
        self._add("sglang:cached_tokens_total", labels, self._count * CACHED)
        self._add("sglang:generation_tokens_total", labels, self._count * output)
        self._add("sglang:num_requests_total", labels, self._count * REQUESTS)
        self._told("sglang:num_running_reqs", labels, 4)

    def _vllm(self, labels: Labels, output: int) -> None:
        self._add("vllm:prompt_tokens_total", labels, self._count * PROMPT)
        self._add("vllm:prompt_tokens_cached_total", labels, self._count * CACHED)
        self._add("vllm:generation_tokens_total", labels, self._count * output)
        self._add("vllm:request_success_total", (*labels, ("finished_reason", "stop")), self._count * REQUESTS)
        self._told("vllm:num_requests_running", labels, 4)

    def _dynamo(self, labels: Labels) -> None:
        self._add("dynamo_frontend_input_sequence_tokens_sum", labels, self._count * PROMPT)
        self._add("dynamo_frontend_output_sequence_tokens_sum", labels, self._count * OUTPUT)
        self._add("dynamo_frontend_requests_total", (*labels, ("status", "success")), self._count * REQUESTS)

    def _litellm(self, labels: Labels, share: int) -> None:
        """Of three parts."""
        self._add("litellm_input_tokens_metric_total", labels, self._count * share * PROMPT // 3)
        self._add("litellm_output_tokens_metric_total", labels, self._count * share * OUTPUT // 3)

    def _add(self, name: str, labels: Labels, value: float) -> None:
        self._told(name, labels, value)

    def _told(self, name: str, labels: Labels, value: float) -> None:
        self._day.samples[Series(name, labels)].append((self._at_s, value))


def _target(box: str, port: int, job: str, *labels: tuple[str, str]) -> Labels:
    return (("instance", f"box-{box}:{port}"), ("job", job), *labels)
