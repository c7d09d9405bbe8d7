"""What a GPU that gave us its handle can tell: every field, where it comes from and how often it is asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from collectors.nvml import port
from collectors.nvml.calls import Calls
from collectors.nvml.errors import Refusal
from collectors.nvml.fields import FieldBatch
from collectors.nvml.gpm import GpmWindow
from collectors.nvml.mig import mig_instances
from collectors.nvml.port import Driver, Handle, Memory
from collectors.nvml.power import PowerMeter
from collectors.nvml.processes import garbled, joined, list_processes
from collectors.nvml.sources import EnergyEstimate, Sources
from collectors.readings import GpuFacts, GpuProcess, GpuReading, MigInstance, Reason

SLOW_EVERY_NS = 5_000_000_000  # the process list took 4.5 ms where it was measured, every other call microseconds

BATCH = [
    (port.FIELD_POWER_INSTANT, port.SCOPE_GPU),
    (port.FIELD_POWER_AVERAGE, port.SCOPE_GPU),
    (port.FIELD_POWER_AVERAGE, port.SCOPE_MODULE),
    (port.FIELD_ENERGY, port.SCOPE_GPU),
    (port.FIELD_MEMORY_TEMPERATURE, port.SCOPE_GPU),
]


class Gauges:
    """Reads one GPU until its handle dies. Each field fails on its own; a reading says which, and why."""

    def __init__(
        self,
        driver: Driver,
        calls: Calls,
        now_ns: Callable[[], int],
        handle: Handle,
        facts: GpuFacts,
        estimate: EnergyEstimate,
    ) -> None:
        self.facts = facts
        self.processes_garbled = False
        self.recovery_action = 0  # what the driver wants done about the GPU, as it last said; 0 nothing
        self._driver = driver
        self._calls = calls
        self._now_ns = now_ns
        self._handle = handle
        self._estimate = estimate
        self._batch = FieldBatch(driver, calls, handle, BATCH)
        self._slow_batch = FieldBatch(driver, calls, handle, [(port.FIELD_RECOVERY_ACTION, port.SCOPE_GPU)])
        self._energy_at_ns = 0
        self._slow_due_ns = 0
        self._slow_reasons: dict[str, Reason] = {}
        self._listed: tuple[GpuProcess, ...] | None = None
        self._instances: tuple[MigInstance, ...] = ()

        self._power = PowerMeter(driver, calls, handle, self._batch)
        self._energy = Sources("energy_mj", self._energy_field, self._energy_call)
        self._utilization = Sources("utilization", self._busy_share)
        self._memory = Sources("memory_used_bytes", self._memory_v2, self._memory_v1)
        self._temperature = Sources("temperature_c", self._temperature_v, self._temperature_old)
        self._memory_temperature = Sources("memory_temperature_c", self._memory_temperature_field)
        self._sm_clock = Sources("sm_clock_mhz", self._sm_clock_call)
        self._throttle = Sources("throttle", self._throttle_call)
        self._activity = GpmWindow(driver, calls, now_ns, handle, (port.GPM_TENSOR, port.GPM_DRAM))
        self._tensor = Sources("tensor_activity", self._tensor_share)
        self._dram = Sources("dram_activity", self._dram_share)
        self._processes = Sources("processes", lambda: list_processes(driver, calls, handle))
        self._limit = Sources("power_limit_w", self._limit_call)
        self._mig = Sources("mig", self._mig_call)
        self._persistence = Sources("persistence_mode", self._persistence_call)
        self._recovery = Sources("recovery_action", self._recovery_field)

    def read(self) -> GpuReading:
        """Raises Refusal when the GPU is lost or the driver was shut down."""
        reasons: dict[str, Reason] = {}
        self._batch.fetch()
        # After the call, not before: waiting for the driver's lock comes before the counter is read.
        self._energy_at_ns = self._now_ns()
        energy_mj = self._energy.ask(reasons)
        at_ns = self._energy_at_ns
        watts = self._power.read(at_ns, energy_mj, reasons)
        self.facts = replace(self.facts, power_scope=watts.scope)
        estimated = False
        if energy_mj is None and reasons["energy_mj"] is Reason.UNSUPPORTED:
            del reasons["energy_mj"]
            energy_mj = self._estimate.add(at_ns, watts.average)
            estimated = energy_mj is not None
            if not estimated:
                reasons["energy_mj"] = reasons["power_w"]
        memory = self._memory.ask(reasons)
        if memory is not None:
            self.facts = replace(self.facts, memory_total_bytes=memory.total)
        if at_ns >= self._slow_due_ns:
            self._slow_due_ns = at_ns + SLOW_EVERY_NS
            self._read_slow()
        self._activity.advance()
        return GpuReading(
            at_ns=at_ns,
            power_w=watts.average,
            power_instant_w=watts.instant,
            energy_mj=energy_mj,
            energy_estimated=estimated,
            utilization=self._utilization.ask(reasons),
            memory_used_bytes=None if memory is None else memory.used,
            temperature_c=self._temperature.ask(reasons),
            memory_temperature_c=self._memory_temperature.ask(reasons),
            sm_clock_mhz=self._sm_clock.ask(reasons),
            throttle=self._throttle.ask(reasons),
            tensor_activity=self._tensor.ask(reasons),
            dram_activity=self._dram.ask(reasons),
            mig_instances=self._instances,
            processes=self._listed,
            facts=self.facts,
            reasons=tuple(sorted({**self._slow_reasons, **reasons}.items())),
        )

    def close(self) -> None:
        """Gives back what the driver lent. Nothing can be read afterwards."""
        self._activity.close()

    def ask_recovery_action(self) -> None:
        """For a GPU that refuses all else: what is to be done about it may still be told."""
        with contextlib.suppress(Refusal):  # it was not; what was said last holds
            self.recovery_action = self._recovery.ask({}) or 0

    def _read_slow(self) -> None:
        """The process list, and what an administrator may change while we run."""
        reasons: dict[str, Reason] = {}
        mig = self._mig.ask({})  # no reason kept: a GPU that does not know MIG has it off
        self.facts = replace(
            self.facts,
            power_limit_w=self._limit.ask(reasons),
            mig=self.facts.mig if mig is None else mig,
            persistence_mode=self._persistence.ask(reasons),
        )
        self.recovery_action = self._recovery.ask({}) or 0
        self._read_processes(reasons)
        self._slow_reasons = reasons

    def _read_processes(self, reasons: dict[str, Reason]) -> None:
        listed = self._processes.ask(reasons)
        instances = mig_instances(self._driver, self._calls, self._handle, reasons) if self.facts.mig else ()
        if self.facts.mig:
            listed = joined(listed, instances)
            if listed is not None:
                reasons.pop("processes", None)  # the instances told what the GPU as a whole refused
        self.processes_garbled = garbled(listed or ())
        if self.processes_garbled:
            listed = None
            instances = tuple(replace(instance, processes=None) for instance in instances)
            reasons["processes"] = Reason.DRIVER_ERROR
        self._listed, self._instances = listed, instances

    # --- where the values come from -----------------------------------------------------------------------------

    def _energy_field(self) -> int:
        return self._batch.value(port.FIELD_ENERGY)

    def _energy_call(self) -> int:
        energy_mj = self._calls(self._driver.nvmlDeviceGetTotalEnergyConsumption, self._handle)
        self._energy_at_ns = self._now_ns()
        return energy_mj

    def _busy_share(self) -> float:
        return self._calls(self._driver.nvmlDeviceGetUtilizationRates, self._handle).gpu / 100

    def _memory_v2(self) -> Memory:
        return self._calls(self._driver.nvmlDeviceGetMemoryInfo, self._handle, port.MEMORY_V2)

    def _memory_v1(self) -> Memory:
        return self._calls(self._driver.nvmlDeviceGetMemoryInfo, self._handle)

    def _temperature_v(self) -> int:
        return self._calls(self._driver.nvmlDeviceGetTemperatureV, self._handle, port.TEMPERATURE_GPU)

    def _temperature_old(self) -> int:
        return self._calls(self._driver.nvmlDeviceGetTemperature, self._handle, port.TEMPERATURE_GPU)

    def _memory_temperature_field(self) -> int:
        return self._batch.value(port.FIELD_MEMORY_TEMPERATURE)

    def _sm_clock_call(self) -> int:
        return self._calls(self._driver.nvmlDeviceGetClockInfo, self._handle, port.CLOCK_SM)

    def _throttle_call(self) -> int:
        return self._calls(self._driver.nvmlDeviceGetCurrentClocksEventReasons, self._handle)

    def _limit_call(self) -> float:
        return self._calls(self._driver.nvmlDeviceGetEnforcedPowerLimit, self._handle) / 1000

    def _mig_call(self) -> bool:
        return bool(self._calls(self._driver.nvmlDeviceGetMigMode, self._handle)[0])

    def _persistence_call(self) -> bool:
        return bool(self._calls(self._driver.nvmlDeviceGetPersistenceMode, self._handle))

    def _tensor_share(self) -> float | None:
        return self._activity.share(port.GPM_TENSOR)

    def _dram_share(self) -> float | None:
        return self._activity.share(port.GPM_DRAM)

    def _recovery_field(self) -> int:
        self._slow_batch.fetch()
        return self._slow_batch.value(port.FIELD_RECOVERY_ACTION)
