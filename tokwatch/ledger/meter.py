"""The meter: readings → entries. The only place that knows counters reset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from collectors.readings import UNNAMED, FlowReading, GpuReading, Histogram, HostReading, Moves, ServerReading
from tokwatch.ledger.axis import NS_PER_MS, Axis
from tokwatch.ledger.counters import all_fell, counters_of, histogram_increment, increments, standing
from tokwatch.ledger.energy import EnergyMeter, trapezoid_mj
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, GpuEntry, HistogramEntry, HostEntry, ServerEntry, State
from tokwatch.ledger.registry import Registry, flow_key, gpu_key, server_key

MIB = 1 << 20
_START_TOLD_EARLY_S = 1.0  # at most: starts rest on the kernel's boot time, which is whole seconds, rounded down


@dataclass(slots=True)
class _Gpu:
    energy: EnergyMeter = field(default_factory=EnergyMeter)
    at_ms: int | None = None  # boot clock
    driver: str = ""


@dataclass(slots=True)
class _Flow:
    counters: dict[str, int]
    histograms: dict[str, Histogram] | None  # None: not kept across runs, so the next page is their baseline


@dataclass(slots=True)
class _Server:
    incarnation: str = ""
    page_ms: int | None = None  # boot clock of the last good page; None before the first
    tried_ms: int | None = None
    flows: dict[int, _Flow] = field(default_factory=dict)
    earlier: list[Absolute] = field(default_factory=list)  # of earlier runs, until the first page says which hold

    def take_up(self, incarnation: str, boot_id: str) -> None:
        """Go on from the earlier counters of this incarnation; others only tell that the process is a new one."""
        past, self.earlier = self.earlier, []
        if not incarnation:
            return
        same = [absolute for absolute in past if absolute.incarnation == incarnation]
        for absolute in same or past:
            self.incarnation = absolute.incarnation
            if absolute.boot_id == boot_id:
                self.page_ms = max(self.page_ms or 0, absolute.at_ns // NS_PER_MS)
        self.flows = {absolute.entity: _Flow(dict(absolute.counters), None) for absolute in same}


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
        self._started_s = started_s
        self._gap_ms = int(max(3.0, 3 * interval_s) * 1000)
        self._gpus: dict[int, _Gpu] = {}
        self._servers: dict[int, _Server] = {}
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
                self._servers.setdefault(entity.parent, _Server()).earlier.append(absolute)

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
        if length > self._gap_ms:
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
        """One server's entry and those of its flows. A failed scrape adds no flow entries: when the page is back, the
        next increments cover the silence."""
        entity = self._registry.id("server", server_key(reading.server), parent=host, seen_ms=axis.tick_ms)
        server = self._servers.setdefault(entity, _Server())
        at_ms = reading.at_ns // NS_PER_MS
        length = 0 if server.tried_ms is None else max(0, at_ms - server.tried_ms)
        server.tried_ms = at_ms
        flows: tuple[FlowEntry, ...] = ()
        progress: int | None = None
        flags = Flag.AT_END if reading.moves is Moves.AT_END else Flag(0)
        if reading.ok:
            flows, progress = self._flows(entity, server, reading, axis)
            flags |= Flag(flows[0].flags & (Flag.RESET | Flag.BASELINE | Flag.GAP)) if flows else Flag(0)
        t1_ms = axis.ms(reading.at_ns)
        entry = ServerEntry(
            entity=entity,
            t0_ms=t1_ms - length,
            t1_ms=t1_ms,
            up=reading.ok,
            running=reading.running,
            waiting=reading.waiting,
            kv_permyriad=_scaled(reading.kv_usage, 10_000),
            progress=progress,
            scrape_ms=reading.took_ms,
            page_bytes=reading.page_bytes,
            flags=int(flags),
        )
        return entry, flows

    def _flows(
        self, entity: int, server: _Server, reading: ServerReading, axis: Axis
    ) -> tuple[tuple[FlowEntry, ...], int | None]:
        at_ms = reading.at_ns // NS_PER_MS
        started_s = reading.started_at_s or reading.server.started_at_s
        incarnation = reading.incarnation or ("" if started_s is None else f"{started_s:.0f}")
        if server.earlier:
            server.take_up(incarnation, self._boot_id)
        known = server.page_ms is not None or bool(server.incarnation)
        restarted = known and self._restarted(entity, server, incarnation, reading.flows)
        since_start = not known and started_s is not None and started_s + _START_TOLD_EARLY_S >= self._started_s
        if server.page_ms is not None:
            length = max(0, at_ms - server.page_ms)
        else:  # counted from the start of the process, if at all
            length = _age_ms(started_s, axis.wall_ms) if known or since_start else 0
        flags = Flag.AT_END if reading.moves is Moves.AT_END else Flag(0)
        if restarted:
            flags |= Flag.RESET
            server.flows.clear()
        if not known and not since_start:
            flags |= Flag.BASELINE
        if known and length > self._gap_ms:
            flags |= Flag.GAP
        t1_ms = axis.ms(reading.at_ns)
        entries = []
        progress: int | None = None
        for flow in reading.flows:
            number = self._registry.id(
                "flow",
                _flow_key(entity, flow),
                parent=entity,
                seen_ms=axis.tick_ms,
            )
            before = server.flows.get(number) or self._unnamed(entity, server, flow)
            now = counters_of(flow)
            gained: dict[str, int] = {}
            fell = False
            observed: tuple[HistogramEntry, ...] = ()
            if known or since_start:
                gained, fell = increments(before.counters if before else {}, now, restarted=restarted or before is None)
                observed = _observed(flow, before)
            server.flows[number] = _Flow(
                standing(before.counters if before else {}, now),
                {**((before.histograms if before else None) or {}), **dict(flow.histograms)},
            )
            if "progress" in gained:
                progress = (progress or 0) + gained["progress"]
            entries.append(
                FlowEntry(
                    entity=number,
                    t0_ms=t1_ms - length,
                    t1_ms=t1_ms,
                    prompt_tokens=gained.get("prompt_tokens"),
                    cached_tokens=gained.get("cached_tokens"),
                    output_tokens=gained.get("output_tokens"),
                    finished=gained.get("finished"),
                    failed=gained.get("failed"),
                    aborted=gained.get("aborted"),
                    preempted=gained.get("preempted"),
                    drafted_tokens=gained.get("drafted_tokens"),
                    accepted_tokens=gained.get("accepted_tokens"),
                    histograms=observed,
                    flags=int(flags | (Flag.RESET if fell else Flag(0))),
                )
            )
        server.page_ms = at_ms
        server.incarnation = incarnation
        return tuple(entries), progress

    def _unnamed(self, entity: int, server: _Server, flow: FlowReading) -> _Flow | None:
        """The flow as it stood before the name of its model was known: the same counters go on under the name."""
        return server.flows.pop(self._registry.find("flow", _flow_key(entity, replace(flow, model=UNNAMED))), None)

    def _restarted(self, entity: int, server: _Server, incarnation: str, flows: tuple[FlowReading, ...]) -> bool:
        if incarnation and server.incarnation:
            return incarnation != server.incarnation
        # No process start on the page: only falling counters tell.
        return any(
            all_fell(before.counters, counters_of(flow))
            for flow in flows
            if (before := server.flows.get(self._registry.find("flow", _flow_key(entity, flow)))) is not None
        )

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
            energy_mj=None if before is None else trapezoid_mj(before.power_mw, power_mw, length),
        )

    def absolutes(self) -> tuple[Absolute, ...]:
        """All counters as they stand, for the store's latest row of each entity."""
        gpus = tuple(
            Absolute(entity, gpu.driver, base[0] * NS_PER_MS, self._boot_id, {"energy_mj": base[1]})
            for entity, gpu in self._gpus.items()
            if (base := gpu.energy.base) is not None
        )
        flows = tuple(
            Absolute(number, server.incarnation, server.page_ms * NS_PER_MS, self._boot_id, flow.counters)
            for server in self._servers.values()
            if server.page_ms is not None
            for number, flow in server.flows.items()
        )
        return gpus + flows


def _scaled(value: float | None, scale: int) -> int | None:
    return None if value is None else round(value * scale)


def _age_ms(started_s: float | None, wall_ms: int) -> int:
    return 0 if started_s is None else max(0, wall_ms - int(started_s * 1000))


def _flow_key(server: int, flow: FlowReading) -> str:
    return flow_key(server, flow.model, flow.role, flow.tenant, flow.tier)


def _observed(flow: FlowReading, before: _Flow | None) -> tuple[HistogramEntry, ...]:
    if before is not None and before.histograms is None:
        return ()
    earlier = before.histograms if before is not None and before.histograms is not None else {}
    entries = (histogram_increment(name, earlier.get(name), histogram) for name, histogram in flow.histograms)
    return tuple(entry for entry in entries if entry is not None)
