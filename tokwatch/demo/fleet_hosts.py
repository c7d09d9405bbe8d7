"""The hosts of the simulated fleet: what each is, and what it does at any instant. Functions of the time alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

GPUS: Final = 8
_DAY_S: Final = 86_400.0

Does = Literal["serves", "partly", "saturated", "parked", "misrouted", "free", "other", "dead", "late"]


class Model(NamedTuple):
    """A model, and what a host of 8 GPUs makes of it at full load."""

    name: str
    engine: str
    tok_s: float  # output
    prompt_per_output: float
    ttft_s: float  # half of the requests are faster
    tpot_s: float


MODELS: Final = (
    Model("Qwen3-32B", "vllm", 11_800.0, 4.1, 0.21, 0.019),
    Model("Llama-3.3-70B", "vllm", 6_400.0, 3.2, 0.34, 0.031),
    Model("gpt-oss-120b", "sglang", 14_900.0, 2.4, 0.18, 0.014),
    Model("DeepSeek-V3", "sglang", 7_200.0, 5.6, 0.52, 0.041),
    Model("Mistral-Small-24B", "vllm", 12_600.0, 3.0, 0.16, 0.015),  # the deployment that nobody asks any more
)
PARKED: Final = MODELS[-1]
_SITES: Final = (
    ("osl", "eu-north", "oslo-1", "NVIDIA H100 80GB HBM3"),
    ("dub", "eu-west", "dublin-1", "NVIDIA H200"),
    ("ash", "us-east", "ashburn-2", "NVIDIA B200"),
)
_MEMORY_MIB: Final = {"NVIDIA H100 80GB HBM3": 81_559, "NVIDIA H200": 143_771, "NVIDIA B200": 183_359}
# What becomes of some hosts of every fifty, so that a small fleet shows everything and a large one more of it.
_FATES: Final[dict[int, Does]] = {
    2: "partly",
    6: "misrouted",
    11: "dead",
    13: "free",
    17: "saturated",
    22: "late",
    29: "other",
    33: "partly",
    37: "free",
}
_IDLE_W: Final = {"free": 68.0, "parked": 118.0, "misrouted": 121.0}
_BUSY_W: Final = 585.0


@dataclass(frozen=True, slots=True)
class SimulatedHost:
    """One host, by its number from 0."""

    number: int

    @property
    def name(self) -> str:
        return f"{self._site[0]}-{self.number // 3:03d}"

    @property
    def region(self) -> str:
        return self._site[1]

    @property
    def cluster(self) -> str:
        return self._site[2]

    @property
    def gpu_model(self) -> str:
        return self._site[3]

    @property
    def memory_mib(self) -> int:
        """Of one of its GPUs."""
        return _MEMORY_MIB[self.gpu_model]

    @property
    def _site(self) -> tuple[str, str, str, str]:
        return _SITES[self.number % len(_SITES)]

    @property
    def model(self) -> Model:
        if self.does == "misrouted":
            return MODELS[1]
        return MODELS[2] if self._usual_model is PARKED and self.does != "parked" else self._usual_model

    @property
    def _usual_model(self) -> Model:
        return MODELS[self.number // 3 % len(MODELS)]

    @property
    def second_model(self) -> Model | None:
        """What else some hosts serve."""
        return MODELS[0] if self.number % 16 == 5 and self.does == "serves" else None

    @property
    def does(self) -> Does:
        fate = _FATES.get(self.number % 50)
        if fate is not None:
            return fate
        return "parked" if self._usual_model is PARKED else "serves"

    @property
    def skew_ms(self) -> int:
        return 4_200 if self.number % 50 == 9 else self.number * 7 % 23 - 11

    @property
    def gpus_at_work(self) -> int:
        return {"serves": 8, "late": 8, "saturated": 8, "partly": 6, "other": 8}.get(self.does, 0)

    def load(self, at_s: float) -> float:
        """0..1 of what it can: more by day, and a little of its own."""
        if not self.gpus_at_work:
            return 0.0
        by_day = 0.68 + 0.16 * math.sin(2 * math.pi * (at_s / _DAY_S - 0.3))
        own = 0.08 * math.sin(at_s / (310.0 + 7 * (self.number % 29)) + self.number)
        full = 0.2 if self.does == "saturated" else 0.0
        return min(1.0, by_day + own + full)

    def tok_s(self, at_s: float) -> float:
        """Output tokens per second of all its models."""
        return 0.0 if self.does == "other" else self.model.tok_s * self.load(at_s) * self.gpus_at_work / GPUS

    def power_w(self, at_s: float) -> float:
        """Of its boards."""
        at_work = self.gpus_at_work
        idle_w = _IDLE_W.get(self.does, _IDLE_W["free"])
        return at_work * (190.0 + (_BUSY_W - 190.0) * self.load(at_s)) + (GPUS - at_work) * idle_w

    def running(self, at_s: float) -> int:
        return round(46 * self.load(at_s) * (1.6 if self.does == "saturated" else 1.0)) if self.tok_s(at_s) else 0

    def waiting(self, at_s: float) -> int:
        if self.does == "saturated":
            return 37 + round(12 * math.sin(at_s / 41))
        return max(0, round(9 * math.sin(at_s / 67 + self.number) - 6)) if self.tok_s(at_s) else 0
