"""What proves work or idleness: what each GPU and the servers on it did lately, as Signals for the state machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from collectors.nvml.throttle import (
    HARDWARE_SLOWDOWN,
    HARDWARE_THERMAL,
    POWER_BRAKE,
    SOFTWARE_THERMAL,
)
from collectors.readings import GpuReading, Reason, ServerFacts, ServerReading
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.roster import NOBODY, Neighbours
from tokwatch.ledger.server_evidence import ServerEvidence
from tokwatch.ledger.states import Signals, Thresholds
from tokwatch.ledger.windows import Window

# What slows a GPU, the graver first. A software power cap is not among them: at full load it is normal.
_SLOWED_BY = (
    (HARDWARE_THERMAL | SOFTWARE_THERMAL, "too hot"),
    (POWER_BRAKE, "power brake"),
    (HARDWARE_SLOWDOWN, "by the hardware"),
)


class _Gpu:
    """One GPU over the evidence window, each quantity weighed with the time that it is known for."""

    def __init__(self, width_ms: int) -> None:
        self.listed_s = 0.0  # how long a process has been listed on every reading
        self._listed_from_ms: int | None = None
        # busy ‰·ms, ms · mW·ms, ms · ms known of what slows it · ms slowed by each of _SLOWED_BY · by any
        self._window = Window(width_ms, 6 + len(_SLOWED_BY))

    def take(self, reading: GpuReading, entry: GpuEntry, now_ms: int) -> None:
        self._window.expire(now_ms)
        self._watch_processes(reading, entry)
        if entry.flags & Flag.GAP:
            return
        ms = entry.t1_ms - entry.t0_ms
        reasons = entry.throttle or 0
        slowed = [ms if reasons & bits else 0 for bits, _ in _SLOWED_BY]
        busy = (0, 0) if entry.util_permille is None else (entry.util_permille * ms, ms)
        drawn = (0, 0) if entry.power_mw is None else (entry.power_mw * ms, ms)
        told_ms = 0 if entry.throttle is None else ms
        self._window.add(entry.t1_ms, (*busy, *drawn, told_ms, *slowed, max(slowed)))

    def _watch_processes(self, reading: GpuReading, entry: GpuEntry) -> None:
        if reading.processes is None:
            return  # a list that is missing once ends nothing
        if not reading.processes:
            self._listed_from_ms = None
        elif self._listed_from_ms is None or entry.flags & Flag.GAP:
            self._listed_from_ms = entry.t1_ms
        self.listed_s = 0.0 if self._listed_from_ms is None else (entry.t1_ms - self._listed_from_ms) / 1000

    @property
    def utilization(self) -> float | None:
        weighed, ms = self._window.sums[:2]
        return weighed / ms / 1000 if ms else None

    @property
    def power_w(self) -> float | None:
        weighed, ms = self._window.sums[2:4]
        return weighed / ms / 1000 if ms else None

    @property
    def throttled(self) -> float | None:
        """Share of the whole window, so that the first second watched is not all of it."""
        return self._window.sums[-1] / self._window.width_ms if self._window.sums[4] else None

    @property
    def slowed_by(self) -> str:
        by = zip(_SLOWED_BY, self._window.sums[5:-1], strict=True)
        return next((words for (_, words), ms in by if ms), "")


class Evidence:
    """Keeps what every server and GPU of one recorder did lately."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._width_ms = int(limits.evidence_window_s * 1000)
        self._servers: dict[str, ServerEvidence] = {}  # by address
        self._gpus: dict[int, _Gpu] = {}

    def server(self, reading: ServerReading, entry: ServerEntry, flows: Sequence[FlowEntry]) -> None:
        """Take one scrape into account."""
        self._servers.setdefault(reading.server.address, ServerEvidence(self._limits)).take(reading, entry, flows)

    def gpu(self, reading: GpuReading, entry: GpuEntry, now_ms: int) -> None:
        """Take one reading of a GPU into account."""
        self._gpus.setdefault(entry.entity, _Gpu(self._width_ms)).take(reading, entry, now_ms)

    def signals(
        self,
        reading: GpuReading,
        entry: GpuEntry,
        servers: Sequence[ServerFacts],
        axis: Axis,
        neighbours: Neighbours = NOBODY,
        *,
        load: float | None = None,
        work_w: float | None = None,
    ) -> Signals:
        """One GPU's signals, with the servers placed on it and the servers elsewhere that it is judged with.

        load: tokens/s of the deployment ÷ (capacity per GPU × its GPUs). work_w: see PowerFloors.
        """
        gpu = self._gpus.get(entry.entity) or _Gpu(self._width_ms)
        own = Signals(
            problem=reading.problem_text or (reading.problem.value if reading.problem else ""),
            lost=reading.problem in (Reason.LOST, Reason.STALLED),
            load=load,
            throttled=gpu.throttled,
            slowed_by=gpu.slowed_by,
            has_process=None if reading.processes is None else bool(reading.processes),
            listed_s=gpu.listed_s,
            memory_used_mib=entry.memory_used_mib,
            utilization=reading.utilization if gpu.utilization is None else gpu.utilization,
            power_w=gpu.power_w,
            work_w=work_w,
        )
        if not servers and reading.facts.kind == PACKAGE:  # what else processors do is no matter of tokens
            return replace(own, problem=own.problem or "no inference server on this box")
        if not servers:
            return own
        return self._with_neighbours(self._with_servers(own, servers, axis, neighbours), axis, neighbours)

    def _with_servers(
        self, own: Signals, servers: Sequence[ServerFacts], axis: Axis, neighbours: Neighbours
    ) -> Signals:
        answering: list[ServerEvidence] = []
        silent: list[tuple[ServerFacts, ServerEvidence | None]] = []
        for facts in servers:
            server = self._servers.get(facts.address)
            if server is not None and server.answers and server.answered(facts):
                answering.append(server)
            else:
                silent.append((facts, server))
        running = _sum([server.running for server in answering])
        moved = any(server.moved(axis.tick_ms) for server in answering)
        if not moved and all(facts.metrics_url is None for facts, _ in silent):
            moved = any(server.works(axis.tick_ms) for server in self._known(neighbours.partners))
        if silent and not running and not moved:
            return _silent(own, silent, axis)  # one that cannot be read may be the one at work
        still_s = _still_s(answering)
        return replace(
            own,
            server=_names(servers),
            answering=True,
            running=running,
            waiting=_sum([server.waiting for server in answering]),
            asleep=bool(answering) and all(server.asleep for server in answering),
            moved=moved if moved or all(server.counts for server in answering) else None,
            still_s=still_s,
            ttft_p99_s=None if still_s is None else _longest_ttft_s(answering),
            evidence_s=min((server.evidence_s for server in answering), default=0.0),
            queued_s=max((server.queued_s for server in answering), default=0.0),
            full_s=max((server.full_s for server in answering), default=0.0),
            pressed=any(server.pressed for server in answering),
        )

    def _with_neighbours(self, own: Signals, axis: Axis, neighbours: Neighbours) -> Signals:
        replicas = {address: server for address in neighbours.replicas for server in self._known([address])}
        queues = {address: server.queued_s for address, server in replicas.items() if server.waiting}
        return replace(
            own,
            queue_elsewhere=any(server.waiting for server in self._known(neighbours.queues)),
            replica_queued_s=max(queues.values(), default=0.0),
            replica_queue=max(queues, key=queues.__getitem__, default=""),
            resting_replica=next((address for address in replicas if replicas[address].rests(axis.tick_ms)), ""),
        )

    def _known(self, addresses: Iterable[str]) -> list[ServerEvidence]:
        """Those of them that answer."""
        found = (self._servers.get(address) for address in addresses)
        return [server for server in found if server is not None and server.answers]


def _still_s(servers: Sequence[ServerEvidence]) -> float | None:
    """How long none of those that run requests has moved; None where one moves, or none can tell."""
    still = [server.still_s for server in servers if server.running]
    known = [seconds for seconds in still if seconds is not None]
    return min(known) if known and len(known) == len(still) else None


def _longest_ttft_s(servers: Sequence[ServerEvidence]) -> float | None:
    return max((p99 for server in servers if (p99 := server.ttft_p99_s) is not None), default=None)


def _silent(own: Signals, silent: Sequence[tuple[ServerFacts, ServerEvidence | None]], axis: Axis) -> Signals:
    """Signals of a GPU whose working servers, if any, are among those that cannot be read."""
    names = _names([facts for facts, _ in silent])
    tried = [(facts, server) for facts, server in silent if server is not None]
    if len(tried) < len(silent):
        return replace(own, server=names, unread=True)
    ages_s = [axis.wall_ms / 1000 - facts.started_at_s for facts, _ in tried if facts.started_at_s is not None]
    return replace(
        own,
        server=names,
        answering=False,
        has_page=all(facts.metrics_url is not None for facts, _ in tried),
        answered_before=any(server.answered(facts) for facts, server in tried),
        server_age_s=min(ages_s, default=None),
        server_problem=next((server.problem for _, server in tried if server.problem), ""),
    )


def _names(servers: Sequence[ServerFacts]) -> str:
    return ", ".join(facts.model or facts.engine for facts in servers)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
