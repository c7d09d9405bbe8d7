"""The NVIDIA driver of a scenario: the functions, constants and errors of the module pynvml that the collector calls.

The Python twin of tests/nvml_stub, without the C: a test reads the same scenario through both and compares.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Sequence

from collectors.nvml.errors import Code
from tokwatch.demo.driver_shapes import (
    EventData,
    EventSet,
    FieldValue,
    GpmRequest,
    GpmSupport,
    Handle,
    Memory,
    PciInfo,
    Process,
    Sample,
    SimulatedNvmlError,
    Utilization,
)
from tokwatch.demo.driver_values import error_at, field_value, fill_metric, milliwatts
from tokwatch.demo.scenario import Scenario
from tokwatch.demo.simulated_gpu import MIG_SLOTS, Rule, SimulatedGpu, SimulatedMig

_MIB = 1 << 20
_NO_INSTANCE = 0xFFFFFFFF
_PROCESS = struct.Struct("=I4xQII")  # nvmlProcessInfo_v3_t
_PROCESS_535 = struct.Struct("=I4xQIIQ")  # what early 535 drivers wrote under the same version number
_HOPPER = 9
_GPM_SHORTEST_NS = 100_000_000
_EVENT_XID = 0x8


class SimulatedDriver:
    """Pass it to NvmlCollector in place of pynvml. `now_ns` is CLOCK_BOOTTIME, or a test's own clock."""

    NVMLError: type[Exception] = SimulatedNvmlError
    c_nvmlGpmMetricsGet_t = GpmRequest

    def __init__(self, scenario: Scenario, now_ns: Callable[[], int]) -> None:
        self._scenario = scenario
        self._now_ns = now_ns
        self._t0_ns = scenario.t0_ns
        self._inits = 0
        self._generation = 0
        self._released = threading.Event()
        self._shut_down = threading.Condition()

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
        with self._shut_down:
            self._shut_down.notify_all()

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
        gpu, mig, _ = self._device_or_mig("nvmlDeviceGetUUID", handle)
        return mig.uuid if mig else gpu.uuid

    def nvmlDeviceGetName(self, handle: Handle, /) -> str:
        gpu, mig, _ = self._device_or_mig("nvmlDeviceGetName", handle)
        return f"{gpu.name} MIG {mig.profile}" if mig else gpu.name

    def nvmlDeviceGetPciInfo(self, handle: Handle, /) -> PciInfo:
        return PciInfo(self._device("nvmlDeviceGetPciInfo_v3", handle)[0].pci)

    def nvmlDeviceGetMigMode(self, handle: Handle, /) -> list[int]:
        gpu, _ = self._device("nvmlDeviceGetMigMode", handle)
        return [int(gpu.mig), int(gpu.mig)]

    def nvmlDeviceGetPersistenceMode(self, handle: Handle, /) -> int:
        return int(self._device("nvmlDeviceGetPersistenceMode", handle)[0].persistence)

    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Handle, /) -> int:
        return milliwatts(self._device("nvmlDeviceGetEnforcedPowerLimit", handle)[0].limit_w)

    def nvmlDeviceGetPowerUsage(self, handle: Handle, /) -> int:
        gpu, t_ns = self._device("nvmlDeviceGetPowerUsage", handle)
        has_average = error_at(gpu.rules, "field:185", t_ns) is None
        return milliwatts(gpu.average_power_at(t_ns) if has_average else gpu.power_at(t_ns))

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
        call = "nvmlDeviceGetMemoryInfo_v2" if version else "nvmlDeviceGetMemoryInfo"
        gpu, mig, t_ns = self._device_or_mig(call, handle)
        if mig:
            used_mib = sum(mib for _, mib in gpu.running_at(t_ns / 1e9, mig))
            return Memory(int(mig.mib * _MIB), int(used_mib * _MIB))
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
        entries = [field_value(gpu, field, scope, t_ns) for field, scope in fields]
        if all(entry.nvmlReturn for entry in entries):
            raise SimulatedNvmlError(Code.NOT_SUPPORTED)
        return entries

    def nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Handle, /) -> list[Process]:
        gpu, mig, t_ns = self._device_or_mig("nvmlDeviceGetComputeRunningProcesses_v3", handle)
        running = [(pid, int(mib * _MIB)) for pid, mib in gpu.running_at(t_ns / 1e9, mig)]
        if gpu.garbled_processes:
            written = b"".join(_PROCESS_535.pack(pid, used, _NO_INSTANCE, _NO_INSTANCE, 0) for pid, used in running)
            read = written[: len(running) * _PROCESS.size]  # the binding steps through them by the shorter size
            running = [(pid, used) for pid, used, _, _ in _PROCESS.iter_unpack(read)]
        return [Process(pid, used) for pid, used in running]

    # --- MIG ------------------------------------------------------------------------------------------------------

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Handle, /) -> int:
        return MIG_SLOTS if self._device("nvmlDeviceGetMaxMigDeviceCount", handle)[0].mig else 0

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Handle, slot: int, /) -> Handle:
        gpu, t_ns = self._device("nvmlDeviceGetMigDeviceHandleByIndex", handle)
        if gpu.mig_at(slot, t_ns / 1e9) is None:
            raise SimulatedNvmlError(Code.NOT_FOUND)
        return Handle(self._generation, handle.index, slot)

    # --- GPM ------------------------------------------------------------------------------------------------------

    def nvmlGpmQueryDeviceSupport(self, handle: Handle, /) -> GpmSupport:
        return GpmSupport(int(self._device("nvmlGpmQueryDeviceSupport", handle)[0].architecture >= _HOPPER))

    def nvmlGpmSampleAlloc(self) -> Sample:
        self._enter("nvmlGpmSampleAlloc")
        return Sample()

    def nvmlGpmSampleFree(self, sample: Sample, /) -> None:
        self._enter("nvmlGpmSampleFree")

    def nvmlGpmSampleGet(self, handle: Handle, sample: Sample, /) -> Sample:
        sample.gpu, sample.t_ns = self._device("nvmlGpmSampleGet", handle)
        if sample.gpu.architecture < _HOPPER:
            raise SimulatedNvmlError(Code.NOT_SUPPORTED)
        return sample

    def nvmlGpmMetricsGet(self, request: GpmRequest, /) -> GpmRequest:
        self._enter("nvmlGpmMetricsGet")
        first, second = request.sample1, request.sample2
        if not (first and second and first.gpu and first.gpu is second.gpu):
            raise SimulatedNvmlError(Code.INVALID_ARGUMENT)
        if second.t_ns - first.t_ns <= _GPM_SHORTEST_NS:
            raise SimulatedNvmlError(Code.INVALID_ARGUMENT)
        for metric in request.metrics[: request.numMetrics]:
            fill_metric(metric, first.gpu, first.t_ns, second.t_ns)
        return request

    # --- events ---------------------------------------------------------------------------------------------------

    def nvmlEventSetCreate(self) -> EventSet:
        self._enter("nvmlEventSetCreate")
        return EventSet()

    def nvmlEventSetFree(self, event_set: EventSet, /) -> None:
        self._enter("nvmlEventSetFree")

    def nvmlDeviceGetSupportedEventTypes(self, handle: Handle, /) -> int:
        self._device("nvmlDeviceGetSupportedEventTypes", handle)
        return _EVENT_XID

    def nvmlDeviceRegisterEvents(self, handle: Handle, types: int, event_set: EventSet, /) -> None:
        _, t_ns = self._device("nvmlDeviceRegisterEvents", handle)
        event_set.since_s[handle.index] = t_ns / 1e9

    def nvmlEventSetWait_v2(self, event_set: EventSet, timeout_ms: int, /) -> EventData:
        """A shutdown ends the wait, so that nobody need sit it out."""
        t_ns = self._enter("nvmlEventSetWait_v2")
        event = self._event(event_set, t_ns / 1e9)
        if event is None:
            with self._shut_down:
                self._shut_down.wait(timeout_ms / 1000)
            event = self._event(event_set, self._t_ns() / 1e9)
        if event is None:
            raise SimulatedNvmlError(Code.TIMEOUT)
        return event

    def _event(self, event_set: EventSet, t_s: float) -> EventData | None:
        for index, since_s in event_set.since_s.items():
            for place, (at_s, code) in enumerate(self._scenario.gpus[index].xids):
                if since_s <= at_s <= t_s and (index, place) not in event_set.delivered:
                    event_set.delivered.add((index, place))
                    return EventData(Handle(self._generation, index), _EVENT_XID, code)
        return None

    # --- what every call goes through -----------------------------------------------------------------------------

    def _enter(self, call: str) -> int:
        """Nanoseconds since second 0, unless the scenario delays, hangs or refuses the call."""
        if not self._inits:
            raise SimulatedNvmlError(Code.UNINITIALIZED)
        return self._obey(self._scenario.rules, call)

    def _device(self, call: str, handle: Handle) -> tuple[SimulatedGpu, int]:
        gpu, mig, t_ns = self._device_or_mig(call, handle)
        if mig:
            raise SimulatedNvmlError(Code.NOT_SUPPORTED)
        return gpu, t_ns

    def _device_or_mig(self, call: str, handle: Handle) -> tuple[SimulatedGpu, SimulatedMig | None, int]:
        self._enter(call)
        if handle.generation != self._generation or not 0 <= handle.index < len(self._scenario.gpus):
            raise SimulatedNvmlError(Code.INVALID_ARGUMENT)
        gpu = self._scenario.gpus[handle.index]
        if handle.slot is None:
            return gpu, None, self._obey(gpu.rules, call)
        t_ns = self._obey(gpu.rules, f"mig:{call}")
        mig = gpu.mig_at(handle.slot, t_ns / 1e9)
        if mig is None:
            raise SimulatedNvmlError(Code.INVALID_ARGUMENT)
        return gpu, mig, t_ns

    def _obey(self, rules: list[Rule], call: str) -> int:
        for rule in rules:
            if rule.hang and rule.holds(call, self._t_ns() / 1e9):
                self._released.wait()
            elif rule.delay_s and rule.holds(call, self._t_ns() / 1e9):
                time.sleep(rule.delay_s)
        t_ns = self._t_ns()
        error = error_at(rules, call, t_ns)
        if error is not None:
            raise SimulatedNvmlError(error)
        return t_ns

    def _t_ns(self) -> int:
        return self._now_ns() - (self._t0_ns or 0)
