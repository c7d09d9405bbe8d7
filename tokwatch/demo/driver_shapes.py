"""What the simulated driver hands out: structs, handles and the error of the module pynvml, as far as we use them."""

from __future__ import annotations

from dataclasses import dataclass, field

from collectors.nvml.errors import Code
from tokwatch.demo.simulated_gpu import SimulatedGpu

UINT, ULONGLONG = 1, 3  # nvmlValueType_t


class SimulatedNvmlError(Exception):
    """As pynvml.NVMLError: `value` is the return code."""

    def __init__(self, value: int) -> None:
        super().__init__(f"simulated NVML error {Code(value).name}")
        self.value = value


@dataclass(frozen=True, slots=True)
class Handle:
    """Dies with the initialisation; of a MIG instance with `slot`, also with what is in the slot."""

    generation: int
    index: int
    slot: int | None = None

    def __bytes__(self) -> bytes:
        return f"{self.generation}/{self.index}/{self.slot}".encode()


@dataclass(frozen=True, slots=True)
class Utilization:
    gpu: int
    memory: int


@dataclass(frozen=True, slots=True)
class Memory:
    total: int
    used: int


@dataclass(frozen=True, slots=True)
class PciInfo:
    busId: str


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    usedGpuMemory: int | None


@dataclass(frozen=True, slots=True)
class Value:
    """nvmlValue_t; the member that does not hold the value is 0."""

    uiVal: int = 0
    ullVal: int = 0


@dataclass(frozen=True, slots=True)
class FieldValue:
    nvmlReturn: int
    valueType: int = UINT
    value: Value = Value()


@dataclass(frozen=True, slots=True)
class GpmSupport:
    isSupportedDevice: int


@dataclass(slots=True)
class Sample:
    """Of nvmlGpmSampleAlloc; empty until it is taken."""

    gpu: SimulatedGpu | None = None
    t_ns: int = 0


@dataclass(slots=True)
class GpmMetric:
    metricId: int = 0
    nvmlReturn: int = 0
    value: float = 0.0


@dataclass(slots=True)
class GpmRequest:
    """nvmlGpmMetricsGet_t."""

    version: int = 0
    numMetrics: int = 0
    sample1: Sample | None = None
    sample2: Sample | None = None
    metrics: list[GpmMetric] = field(default_factory=lambda: [GpmMetric() for _ in range(8)])


@dataclass(slots=True)
class EventSet:
    """Since when, and the Xids of it delivered so far, by index of the GPU."""

    since_s: dict[int, float] = field(default_factory=dict)
    delivered: set[tuple[int, int]] = field(default_factory=set)  # GPU, place in its list


@dataclass(frozen=True, slots=True)
class EventData:
    device: Handle
    eventType: int
    eventData: int
