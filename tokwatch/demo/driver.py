"""The NVIDIA driver of a scenario: the functions, constants and errors of the module pynvml that the collector calls.

The Python twin of tests/nvml_stub, without the C: a test reads the same scenario through both and compares.
"""

from __future__ import annotations

import math
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collectors.nvml_errors import Code
from tokwatch.demo.scenario import Rule, Scenario, SimulatedGpu

_MIB = 1 << 20
_NO_INSTANCE = 0xFFFFFFFF
_PROCESS = struct.Struct("=I4xQII")  # nvmlProcessInfo_v3_t
_PROCESS_535 = struct.Struct("=I4xQIIQ")  # what early 535 drivers wrote under the same version number
_UINT, _ULONGLONG = 1, 3  # nvmlValueType_t


class SimulatedNvmlError(Exception):
    """As pynvml.NVMLError: `value` is the return code."""

    def __init__(self, value: int) -> None:
        super().__init__(f"simulated NVML error {Code(value).name}")
        self.value = value


@dataclass(frozen=True, slots=True)
class Handle:
    generation: int
    index: int


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
    valueType: int = _UINT
    value: Value = Value()


class SimulatedDriver:
    """Pass it to NvmlCollector in place of pynvml. `now_ns` is CLOCK_BOOTTIME, or a test's own clock."""

    NVMLError: type[Exception] = SimulatedNvmlError

    def __init__(self, scenario: Scenario, now_ns: Callable[[], int]) -> None:
        self._scenario = scenario
        self._now_ns = now_ns
        self._t0_ns = scenario.t0_ns
        self._inits = 0
        self._generation = 0
        self._released = threading.Event()

    def release_hangs(self) -> None:
        """Every `hang` is over, for the call that waits and for those to come."""
        self._released.set()

    # --- the library ----------------------------------------------------------------------------------------------

    def nvmlInit(self) -> None:
        if self._t0_ns is None:
            self._t0_ns = self._now_ns()
        self._obey(self._scenario.rules, "nvmlInitWithFlags")
        if not self._inits:
            self._generation += 1
        self._inits += 1

    def nvmlShutdown(self) -> None:
        if not self._inits:
            raise SimulatedNvmlError(Code.UNINITIALIZED)
        self._inits -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        self._enter("nvmlSystemGetDriverVersion")
        return self._scenario.driver

    def nvmlDeviceGetCount(self) -> int:
        self._enter("nvmlDeviceGetCount_v2")
        return len(self._scenario.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> Handle:
        handle = Handle(self._generation, index)
        self._device("nvmlDeviceGetHandleByIndex_v2", handle)
        return handle

    # --- one device -----------------------------------------------------------------------------------------------

    def nvmlDeviceGetUUID(self, handle: Handle, /) -> str:
        return self._device("nvmlDeviceGetUUID", handle)[0].uuid

    def nvmlDeviceGetName(self, handle: Handle, /) -> str:
        return self._device("nvmlDeviceGetName", handle)[0].name

    def nvmlDeviceGetPciInfo(self, handle: Handle, /) -> PciInfo:
        return PciInfo(self._device("nvmlDeviceGetPciInfo_v3", handle)[0].pci)

    def nvmlDeviceGetMigMode(self, handle: Handle, /) -> list[int]:
        gpu, _ = self._device("nvmlDeviceGetMigMode", handle)
        return [int(gpu.mig), int(gpu.mig)]

    def nvmlDeviceGetPersistenceMode(self, handle: Handle, /) -> int:
        return int(self._device("nvmlDeviceGetPersistenceMode", handle)[0].persistence)

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Handle, /) -> int:
        return _milliwatts(self._device("nvmlDeviceGetEnforcedPowerLimit", handle)[0].limit_w)

    def nvmlDeviceGetPowerUsage(self, handle: Handle, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetPowerUsage", handle)
        has_average = _error(gpu.rules, "field:185", t_ns) is None
        return _milliwatts(gpu.average_power_at(t_ns) if has_average else gpu.power_at(t_ns))

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: Handle, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetTotalEnergyConsumption", handle)
        return gpu.energy_mj_at(t_ns)

    def nvmlDeviceGetUtilizationRates(self, handle: Handle, /) -> Utilization:
        gpu, t_ns = self._device("nvmlDeviceGetUtilizationRates", handle)
        if gpu.mig:
            raise SimulatedNvmlError(Code.NOT_SUPPORTED)
        t_s = t_ns / 1e9
        return Utilization(int(gpu.utilization_percent.at(t_s)), int(gpu.memory_utilization_percent.at(t_s)))

    def nvmlDeviceGetMemoryInfo(self, handle: Handle, version: int | None = None, /) -> Memory:
        gpu, t_ns = self._device("nvmlDeviceGetMemoryInfo_v2" if version else "nvmlDeviceGetMemoryInfo", handle)
        reserved_mib = 0.0 if version else gpu.memory_reserved_mib  # version 1 counts it as used
        return Memory(int(gpu.memory_mib * _MIB), int((gpu.memory_used_mib.at(t_ns / 1e9) + reserved_mib) * _MIB))

    def nvmlDeviceGetTemperatureV(self, handle: Handle, sensor: int, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetTemperatureV", handle)
        return int(gpu.temperature_c.at(t_ns / 1e9))

    def nvmlDeviceGetTemperature(self, handle: Handle, sensor: int, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetTemperature", handle)
        return int(gpu.temperature_c.at(t_ns / 1e9))

    def nvmlDeviceGetClockInfo(self, handle: Handle, clock: int, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetClockInfo", handle)
        return int(gpu.sm_clock_mhz.at(t_ns / 1e9))

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Handle, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetCurrentClocksEventReasons", handle)
        return int(gpu.throttle.at(t_ns / 1e9))

    def nvmlDeviceGetFieldValues(self, handle: Handle, fields: Sequence[tuple[int, int]], /) -> list[FieldValue]:
        gpu, t_ns = self._device("nvmlDeviceGetFieldValues", handle)
        entries = [_field(gpu, field, scope, t_ns) for field, scope in fields]
        if all(entry.nvmlReturn for entry in entries):
            raise SimulatedNvmlError(Code.NOT_SUPPORTED)
        return entries

    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Handle, /) -> list[Process]:
        gpu, t_ns = self._device("nvmlDeviceGetComputeRunningProcesses_v3", handle)
        running = [(pid, int(mib * _MIB)) for pid, mib, span in gpu.processes if t_ns / 1e9 in span]
        if gpu.garbled_processes:
            written = b"".join(_PROCESS_535.pack(pid, used, _NO_INSTANCE, _NO_INSTANCE, 0) for pid, used in running)
            read = written[: len(running) * _PROCESS.size]  # the binding steps through them by the shorter size
            running = [(pid, used) for pid, used, _, _ in _PROCESS.iter_unpack(read)]
        return [Process(pid, used) for pid, used in running]

    # --- what every call goes through -----------------------------------------------------------------------------

    def _enter(self, call: str) -> int:
        """Nanoseconds since second 0, unless the scenario delays, hangs or refuses the call."""
        if not self._inits:
            raise SimulatedNvmlError(Code.UNINITIALIZED)
        return self._obey(self._scenario.rules, call)

    def _device(self, call: str, handle: Handle) -> tuple[SimulatedGpu, int]:
        self._enter(call)
        if handle.generation != self._generation or not 0 <= handle.index < len(self._scenario.gpus):
            raise SimulatedNvmlError(Code.INVALID_ARGUMENT)
        gpu = self._scenario.gpus[handle.index]
        return gpu, self._obey(gpu.rules, call)

    def _obey(self, rules: list[Rule], call: str) -> int:
        for rule in rules:
            if rule.hang and rule.holds(call, self._t_ns() / 1e9):
                self._released.wait()
            elif rule.delay_s and rule.holds(call, self._t_ns() / 1e9):
                time.sleep(rule.delay_s)
        t_ns = self._t_ns()
        error = _error(rules, call, t_ns)
        if error is not None:
            raise SimulatedNvmlError(error)
        return t_ns

    def _t_ns(self) -> int:
        return self._now_ns() - (self._t0_ns or 0)


def _error(rules: list[Rule], call: str, t_ns: int) -> Code | None:
    return next((rule.error for rule in rules if rule.error and rule.holds(call, t_ns / 1e9)), None)


def _field(gpu: SimulatedGpu, field: int, scope: int, t_ns: int) -> FieldValue:
    error = _error(gpu.rules, f"field:{field}", t_ns) or _error(gpu.rules, f"field:{field}:{scope}", t_ns)
    if error is not None:
        return FieldValue(error)
    if field == 83:
        return FieldValue(0, _ULONGLONG, Value(ullVal=gpu.energy_mj_at(t_ns)))
    if field == 82 and gpu.memory_temperature_c.waves:
        return FieldValue(0, value=Value(uiVal=int(gpu.memory_temperature_c.at(t_ns / 1e9))))
    if field in (185, 186) and (scope == 0 or (scope == 1 and gpu.module_w is not None)):
        power_w = gpu.average_power_at(t_ns) if field == 185 else gpu.power_at(t_ns)
        extra_w = gpu.module_w or 0.0 if scope else 0.0
        return FieldValue(0, value=Value(uiVal=_milliwatts(power_w + extra_w)))
    return FieldValue(Code.NOT_SUPPORTED)


def _milliwatts(power_w: float) -> int:
    return math.floor(power_w * 1000 + 0.5)
