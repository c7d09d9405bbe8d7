"""Servers' pages → entries: first pages, restarts, counters that an earlier run left. meter.py is its only user."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from collectors.readings import UNNAMED, FlowReading, Histogram, Moves, ServerReading
from tokwatch.ledger.axis import NS_PER_MS, Axis
from tokwatch.ledger.counters import all_fell, counters_of, histogram_increment, increments, standing
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, HistogramEntry, ServerEntry
from tokwatch.ledger.registry import Registry, flow_key, server_key

_START_TOLD_EARLY_S = 1.0  # at most: starts rest on the kernel's boot time, which is whole seconds, rounded down


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


class ServerMeter:
    """The servers of one recorder. started_s and gap_ms as for Meter."""

    def __init__(self, registry: Registry, *, boot_id: str, started_s: float, gap_ms: int) -> None:
        self._registry = registry
        self._boot_id = boot_id
        self._started_s = started_s
        self._gap_ms = gap_ms
        self._servers: dict[int, _Server] = {}

    def resume(self, server: int, absolute: Absolute) -> None:
        """Keep a flow's counters of an earlier run until the server's first page says whether they hold."""
        self._servers.setdefault(server, _Server()).earlier.append(absolute)

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

    def absolutes(self) -> tuple[Absolute, ...]:
        """All counters as they stand."""
        return tuple(
            Absolute(number, server.incarnation, server.page_ms * NS_PER_MS, self._boot_id, flow.counters)
            for server in self._servers.values()
            if server.page_ms is not None
            for number, flow in server.flows.items()
        )


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


def _scaled(value: float | None, scale: int) -> int | None:
    return None if value is None else round(value * scale)
