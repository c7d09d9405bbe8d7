"""One simulated GPU: what it draws and shows second by second, and which calls to it go wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from collectors.nvml.errors import Code
from tokwatch.demo.waves import ZERO, Quantity

MIG_SLOTS = 7
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    from_s: float = 0.0
    until_s: float = math.inf

    def __contains__(self, t_s: float) -> bool:
        return self.from_s <= t_s < self.until_s


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to calls of one name while the span lasts: exactly one of the three."""

    call: str
    span: Span
    error: Code | None = None
    delay_s: float = 0.0
    hang: bool = False

    def holds(self, call: str, t_s: float) -> bool:
        any_call = self.call == "*" and not call.startswith(("field:", "gpm:"))
        return (self.call == call or any_call) and t_s in self.span


@dataclass(frozen=True, slots=True)
class SimulatedMig:
    """A MIG instance in its slot."""

    slot: int
    profile: str
    mib: float
    span: Span
    uuid: str


@dataclass(slots=True)
class SimulatedGpu:
    """One device of a scenario. Filled line by line by `parse`, not changed afterwards."""

    name: str
    index: int
    uuid: str
    pci: str
    serial: str
    architecture: int = 9
    limit_w: float = 700.0
    memory_mib: float = 81559.0
    memory_reserved_mib: float = 0.0
    persistence: bool = True
    mig: bool = False
    module_w: float | None = None
    garbled_processes: bool = False
    processes: list[tuple[int, float, Span]] = field(default_factory=list)  # pid, MiB, when
    migs: list[SimulatedMig] = field(default_factory=list)
    mig_processes: list[tuple[int, int, float, Span]] = field(default_factory=list)  # slot, pid, MiB, when
    xids: list[tuple[float, int]] = field(default_factory=list)  # when, code
    energy_start_mj: int = 0
    energy_tick_ms: int = 100
    energy_resets_s: list[float] = field(default_factory=list)
    energy_glitches: list[tuple[Span, int]] = field(default_factory=list)
    energy_stuck_s: float = math.inf
    energy_of_module: bool = False
    power_w: Quantity = ZERO
    utilization_percent: Quantity = ZERO
    memory_utilization_percent: Quantity = ZERO
    memory_used_mib: Quantity = ZERO
    temperature_c: Quantity = ZERO
    memory_temperature_c: Quantity = ZERO
    sm_clock_mhz: Quantity = ZERO
    throttle: Quantity = ZERO
    tensor_percent: Quantity = ZERO
    dram_percent: Quantity = ZERO
    recovery_action: Quantity = ZERO
    rules: list[Rule] = field(default_factory=list)

    def joules_between(self, from_s: float, until_s: float) -> float:
        """What the GPU really drew, J: the exact integral of its power."""
        return self.power_w.integral(until_s) - self.power_w.integral(from_s)

    def power_at(self, t_ns: int) -> float:
        """W at the sensor's last update."""
        return self.power_w.at(self._sensor_s(t_ns))

    def average_power_at(self, t_ns: int) -> float:
        """W over the second before the sensor's last update."""
        end_s = self._sensor_s(t_ns)
        start_s = max(end_s - 1, 0.0)
        if end_s <= start_s:
            return self.power_at(t_ns)
        return self.joules_between(start_s, end_s) / (end_s - start_s)

    def energy_mj_at(self, t_ns: int) -> int:
        """mJ as the counter shows them, with its tick, resets, glitches and the rest."""
        t_s = self._sensor_s(t_ns)
        for span, shown_mj in self.energy_glitches:
            if t_s in span:
                return shown_mj
        t_s = min(t_s, self.energy_stuck_s)
        since_s, start_mj = 0.0, self.energy_start_mj
        for reset_s in self.energy_resets_s:
            if reset_s <= t_s:
                since_s, start_mj = reset_s, 0
        joules = self.joules_between(since_s, t_s)
        if self.energy_of_module:
            joules += (self.module_w or 0.0) * (t_s - since_s)
        return start_mj + int(joules * 1000)

    def mig_at(self, slot: int, t_s: float) -> SimulatedMig | None:
        """The instance in the slot; None: none there now."""
        there = (mig for mig in self.migs if mig.slot == slot and t_s in mig.span)
        return next(there, None) if self.mig else None

    def running_at(self, t_s: float, mig: SimulatedMig | None) -> list[tuple[int, float]]:
        """pid and MiB of the processes on `mig`; where it is None, on the GPU and all its instances."""
        on_gpu = [(pid, mib) for pid, mib, span in self.processes if t_s in span and mig is None]
        on_migs = [(self.mig_at(slot, t_s), pid, mib) for slot, pid, mib, span in self.mig_processes if t_s in span]
        return on_gpu + [(pid, mib) for its, pid, mib in on_migs if its is not None and mig in (None, its)]

    def _sensor_s(self, t_ns: int) -> float:
        tick_ns = self.energy_tick_ms * 1_000_000
        return max(t_ns, 0) // tick_ns * tick_ns / _NS_PER_S
