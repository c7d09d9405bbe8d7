"""The meter: readings → entries. With server_meter.py the only place that knows counters reset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from collectors.readings import GpuReading, HostReading, ServerReading
from tokwatch.ledger.axis import NS_PER_MS, Axis
from tokwatch.ledger.energy import LONGEST_TRAPEZOID_MS, EnergyMeter, trapezoid_mj
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, GpuEntry, HostEntry, ServerEntry, State
from tokwatch.ledger.registry import Registry, gpu_key
from tokwatch.ledger.server_meter import ServerMeter

MIB = 1 << 20


@dataclass(slots=True)
class _Gpu:
    energy: EnergyMeter = field(default_factory=EnergyMeter)
    at_ms: int | None = None  # boot clock
    driver: str = ""


@dataclass(slots=True)
class _Host:
    at_ms: int
    package_energy_uj: int | None
    self_cpu_s: float
    power_mw: int | None


class Meter:
    """One recorder's counters as they stood, and what each new reading adds to the ledger.

    started_s is the wall clock (Unix seconds) at the first tick: a server whose process started later counts from 0
    on its first page. gap_ms: a longer silence is a gap, in which nobody watched.
    """

    def __init__(self, registry: Registry, *, boot_id: str, started_s: float, interval_s: float) -> None:
        self._registry = registry
        self._boot_id = boot_id
        self._gap_ms = int(max(3.0, 3 * interval_s) * 1000)
        self._longest_ms = max(LONGEST_TRAPEZOID_MS, self._gap_ms)  # between two samples of the host's power
        self._gpus: dict[int, _Gpu] = {}
        self._servers = ServerMeter(registry, boot_id=boot_id, started_s=started_s, gap_ms=self._gap_ms)
        self._host: _Host | None = None

    def resume(self, absolutes: Iterable[Absolute]) -> None:
        """Take up the counters of an earlier run, so that what moved in between is not lost.

        GPUs only within the same boot (the energy counter restarts with the driver); servers whenever their
        incarnation turns out to be the same.
        """
        for absolute in absolutes:
            entity = self._registry[absolute.entity]
            same_boot = absolute.boot_id == self._boot_id
            at_ms = absolute.at_ns // NS_PER_MS
            if entity.kind == "gpu" and same_boot and "energy_mj" in absolute.counters:
                gpu = _Gpu(at_ms=at_ms, driver=absolute.incarnation)
                gpu.energy.resume(at_ms, absolute.counters["energy_mj"])
                self._gpus[entity.id] = gpu
            elif entity.kind == "flow" and absolute.incarnation:
                self._servers.resume(entity.parent, absolute)

    # --- GPUs -----------------------------------------------------------------------------------------------------

    def gpu(self, reading: GpuReading, axis: Axis, *, host: int) -> GpuEntry:
        """One GPU's entry; state and owner are decided later, by states and placement."""
        entity = self._registry.id("gpu", gpu_key(reading.facts), parent=host, seen_ms=axis.tick_ms)
        gpu = self._gpus.setdefault(entity, _Gpu())
        at_ms = reading.at_ns // NS_PER_MS
        driver = reading.facts.driver_version or ""
        if gpu.driver and driver and gpu.driver != driver:  # the counter restarts with the driver
            gpu.energy, gpu.at_ms = EnergyMeter(), None
        gpu.driver = driver or gpu.driver
        length = 0 if gpu.at_ms is None else max(0, at_ms - gpu.at_ms)
        step = gpu.energy.step(at_ms, reading.energy_mj, reading.power_w, reading.facts.power_limit_w)
        flags = step.flags
        if gpu.at_ms is None:
            flags |= Flag.BASELINE
        if length > max(self._gap_ms, 3000 * reading.facts.interval_s):
            flags |= Flag.GAP
        if reading.energy_estimated and step.energy_mj is not None:
            flags |= Flag.ESTIMATED
        gpu.at_ms = at_ms if gpu.at_ms is None else max(at_ms, gpu.at_ms)  # a stalled driver may answer late
        t1_ms = axis.ms(reading.at_ns)
        return GpuEntry(
            entity=entity,
            t0_ms=t1_ms - length,
            t1_ms=t1_ms,
            energy_mj=step.energy_mj,
            measured_ms=step.measured_ms,
            power_mw=_scaled(reading.power_w, 1000),
            util_permille=_scaled(reading.utilization, 1000),
            memory_used_mib=None if reading.memory_used_bytes is None else reading.memory_used_bytes // MIB,
            temperature_c=reading.temperature_c,
            sm_clock_mhz=reading.sm_clock_mhz,
            throttle=reading.throttle,
            state=State.UNKNOWN,
            owner=0,
            flags=int(flags),
            lost_mj=step.lost_mj,
            tensor_permille=_scaled(reading.tensor_activity, 1000),
            dram_permille=_scaled(reading.dram_activity, 1000),
            memory_temperature_c=reading.memory_temperature_c,
        )

    # --- servers --------------------------------------------------------------------------------------------------

    def server(self, reading: ServerReading, axis: Axis, *, host: int) -> tuple[ServerEntry, tuple[FlowEntry, ...]]:
        """One server's entry and those of its flows."""
        return self._servers.server(reading, axis, host=host)

    # --- the host -------------------------------------------------------------------------------------------------

    def host(self, reading: HostReading, axis: Axis, *, entity: int) -> HostEntry:
        """The host's entry."""
        at_ms = reading.at_ns // NS_PER_MS
        power_mw = _scaled(reading.power_w, 1000)
        before = self._host
        self._host = _Host(at_ms, reading.package_energy_uj, reading.self_cpu_s, power_mw)
        length = 0 if before is None else max(0, at_ms - before.at_ms)
        package_mj: int | None = None
        if before is not None and None not in (before.package_energy_uj, reading.package_energy_uj):
            package_mj = (reading.package_energy_uj or 0) // 1000 - (before.package_energy_uj or 0) // 1000
        t1_ms = axis.ms(reading.at_ns)
        return HostEntry(
            entity=entity,
            t0_ms=t1_ms - length,
            t1_ms=t1_ms,
            cpu_permille=_scaled(reading.cpu_utilization, 1000),
            memory_used_mib=None if reading.memory_used_bytes is None else reading.memory_used_bytes // MIB,
            package_energy_mj=package_mj,
            self_cpu_ms=0 if before is None else round((reading.self_cpu_s - before.self_cpu_s) * 1000),
            self_rss_kib=reading.self_rss_bytes // 1024,
            flags=int(Flag.BASELINE if before is None else Flag(0)),
            power_mw=power_mw,
            energy_mj=None if before is None else trapezoid_mj(before.power_mw, power_mw, length, self._longest_ms),
        )

    def absolutes(self) -> tuple[Absolute, ...]:
        """All counters as they stand, for the store's latest row of each entity."""
        gpus = tuple(
            Absolute(entity, gpu.driver, base[0] * NS_PER_MS, self._boot_id, {"energy_mj": base[1]})
            for entity, gpu in self._gpus.items()
            if (base := gpu.energy.base) is not None
        )
        return gpus + self._servers.absolutes()


def _scaled(value: float | None, scale: int) -> int | None:
    return None if value is None else round(value * scale)
