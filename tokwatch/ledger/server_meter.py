"""Servers' pages → entries, each with what was added since the page before. meter.py is its only user."""

from __future__ import annotations

from collectors.readings import FlowReading, Moves, ServerReading
from tokwatch.ledger.axis import NS_PER_MS, Axis
from tokwatch.ledger.counters import comparable, counters_of, histogram_increment, increments, standing
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, HistogramEntry, ServerEntry
from tokwatch.ledger.registry import Registry, server_key
from tokwatch.ledger.server_past import START_TOLD_EARLY_S, FlowPast, ServerPast, Succession, key_of

_LONGEST_AGE_MS = 365 * 86_400_000  # a page may tell any start, and the store takes no longer entry


class ServerMeter:
    """The servers of one recorder. started_s and gap_ms as for Meter."""

    def __init__(self, registry: Registry, *, boot_id: str, started_s: float, gap_ms: int) -> None:
        self._registry = registry
        self._boot_id = boot_id
        self._started_s = started_s
        self._gap_ms = gap_ms
        self._servers: dict[int, ServerPast] = {}

    def resume(self, server: int, absolute: Absolute) -> None:
        """Keep a flow's counters of an earlier run until the server's first page says whether they hold."""
        self._servers.setdefault(server, ServerPast()).earlier.append(absolute)

    def server(self, reading: ServerReading, axis: Axis, *, host: int) -> tuple[ServerEntry, tuple[FlowEntry, ...]]:
        """One server's entry and those of its flows. A failed scrape adds no flow entries: when the page is back, the
        next increments cover the silence."""
        entity = self._registry.id("server", server_key(reading.server), parent=host, seen_ms=axis.tick_ms)
        server = self._servers.setdefault(entity, ServerPast())
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
        self, entity: int, server: ServerPast, reading: ServerReading, axis: Axis
    ) -> tuple[tuple[FlowEntry, ...], int | None]:
        at_ms = reading.at_ns // NS_PER_MS
        started_s = reading.started_at_s or reading.server.started_at_s
        incarnation = reading.incarnation or ("" if started_s is None else f"{started_s:.0f}")
        if server.earlier:
            server.take_up(incarnation, self._boot_id)
        numbers = [
            self._registry.id("flow", key_of(entity, flow), parent=entity, seen_ms=axis.tick_ms)
            for flow in reading.flows
        ]
        succession = server.turn_to(reading, incarnation, numbers, axis)
        first = succession is Succession.FIRST
        since_start = first and started_s is not None and started_s + START_TOLD_EARLY_S >= self._started_s
        counted = since_start if first else succession is not Succession.ANOTHER
        if not counted:
            length = 0
        elif server.page_ms is not None:
            length = max(0, at_ms - server.page_ms)
        else:  # counted from the start of the process
            length = _age_ms(started_s, axis.wall_ms)
        flags = Flag.AT_END if reading.moves is Moves.AT_END else Flag(0)
        if succession is Succession.RESTARTED:
            flags |= Flag.RESET
        if not counted:
            flags |= Flag.BASELINE
        if not first and length > self._gap_ms:
            flags |= Flag.GAP
        t1_ms = axis.ms(reading.at_ns)
        entries = []
        progress: int | None = None
        for number, flow in zip(numbers, reading.flows, strict=True):
            before = server.flows.get(number) or server.under_another_name(flow, self._registry, numbers)
            stood = before.counters if before else {}
            now = counters_of(flow)
            gained: dict[str, int] = {}
            own_flags = flags
            observed: tuple[HistogramEntry, ...] = ()
            if counted:
                gained, fell = increments(stood, now, restarted=before is None)
                timed = _observed(flow, before)
                observed = timed or ()
                own_flags |= (Flag.RESET if fell else Flag(0)) | (Flag.UNTIMED if timed is None else Flag(0))
            server.flows[number] = FlowPast(
                standing(stood, now), {**((before.histograms if before else None) or {}), **dict(flow.histograms)}
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
                    flags=int(own_flags),
                )
            )
        server.page_ms = at_ms
        server.incarnation = incarnation
        return tuple(entries), progress

    def absolutes(self) -> tuple[Absolute, ...]:
        """All counters as they stand."""
        return tuple(
            Absolute(number, server.incarnation, server.page_ms * NS_PER_MS, self._boot_id, flow.counters)
            for server in self._servers.values()
            if server.page_ms is not None
            for number, flow in server.flows.items()
        )


def _age_ms(started_s: float | None, wall_ms: int) -> int:
    return 0 if started_s is None else min(_LONGEST_AGE_MS, max(0, wall_ms - int(started_s * 1000)))


def _observed(flow: FlowReading, before: FlowPast | None) -> tuple[HistogramEntry, ...] | None:
    """Observations since `before`; None where a histogram cannot be followed: then the requests that were counted are
    not those that were timed."""
    if before is not None and before.histograms is None:
        return None if flow.histograms else ()
    earlier = (before.histograms or {}) if before else {}
    if not all(comparable(earlier.get(name), histogram) for name, histogram in flow.histograms):
        return None
    entries = (histogram_increment(name, earlier.get(name), histogram) for name, histogram in flow.histograms)
    return tuple(entry for entry in entries if entry is not None)


def _scaled(value: float | None, scale: int) -> int | None:
    return None if value is None else round(value * scale)
