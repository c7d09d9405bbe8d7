"""What proves work or idleness: what each server and GPU did lately, turned into Signals for the state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from collectors.readings import GpuReading, Reason, ServerFacts, ServerReading
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.states import Signals, Thresholds
from tokwatch.ledger.windows import Window

_FAILED_SCRAPES = 3  # one lost page is not a blind server


@dataclass(slots=True)
class _Server:
    counts: bool = False  # the last page told whether tokens or steps moved
    watched_from_ms: int = 0  # since when every page told so, or none did
    page_ms: int | None = None  # when the last good page came
    moved_ms: int | None = None  # when tokens or steps last moved
    failures: int = 0
    problem: str = ""
    answered_started_s: float | None = None  # start of the process that answered last
    running: int | None = None
    waiting: int | None = None
    asleep: bool = False
    kv_permyriad: int | None = None
    still_from_ms: int | None = None  # since when requests run on every live page and nothing moves


class Evidence:
    """Keeps what every server and GPU of one recorder did lately."""

    def __init__(self, limits: Thresholds) -> None:
        self._width_ms = int(limits.evidence_window_s * 1000)
        self._servers: dict[str, _Server] = {}  # by address
        self._gpus: dict[int, Window] = {}  # utilization × ms, ms

    def server(self, reading: ServerReading, entry: ServerEntry, flows: Sequence[FlowEntry]) -> None:
        """Take one scrape into account."""
        server = self._servers.setdefault(reading.server.address, _Server())
        if not reading.ok:
            server.failures += 1
            server.problem = reading.problem
            return
        moved = _movement(entry, flows)
        if server.page_ms is None or server.counts is (moved is None):
            server.watched_from_ms = min((flow.t0_ms for flow in flows), default=entry.t1_ms)
        server.counts, server.page_ms = moved is not None, entry.t1_ms
        server.moved_ms = entry.t1_ms if moved else server.moved_ms
        server.failures, server.problem = 0, ""
        server.answered_started_s = reading.started_at_s or reading.server.started_at_s
        server.running, server.waiting, server.asleep = reading.running, reading.waiting, bool(reading.asleep)
        self._watch_for_stalls(server, entry, moved)

    def _watch_for_stalls(self, server: _Server, entry: ServerEntry, moved: int | None) -> None:
        """Only a live series can stand still: tokens that come when a request ends say nothing before. A long prefill
        moves no tokens either, but the KV cache that it fills."""
        fills = entry.kv_permyriad != server.kv_permyriad
        server.kv_permyriad = entry.kv_permyriad
        if entry.progress is None or moved is None or moved or fills or not entry.running:
            server.still_from_ms = None
        elif server.still_from_ms is None:
            server.still_from_ms = entry.t0_ms

    def gpu(self, entry: GpuEntry, now_ms: int) -> None:
        """Take one GPU entry into account."""
        gpu = self._gpus.setdefault(entry.entity, Window(self._width_ms, 2))
        gpu.expire(now_ms)
        length = entry.t1_ms - entry.t0_ms
        if entry.util_permille is not None and not entry.flags & Flag.GAP:
            gpu.add(entry.t1_ms, (entry.util_permille * length, length))

    def signals(
        self,
        reading: GpuReading,
        entry: GpuEntry,
        servers: Sequence[ServerFacts],
        axis: Axis,
        partners: Sequence[str] = (),
    ) -> Signals:
        """One GPU's signals, with the servers placed on it. `partners`: addresses of servers elsewhere whose work shows
        that these are needed, though they may pause (see `deployments.partners`)."""
        gpu = self._gpus.get(entry.entity)
        weighed, util_ms = gpu.sums if gpu else (0, 0)
        own = Signals(
            problem=reading.problem_text or (reading.problem.value if reading.problem else ""),
            lost=reading.problem in (Reason.LOST, Reason.STALLED),
            has_process=None if reading.processes is None else bool(reading.processes),
            memory_used_mib=entry.memory_used_mib,
            utilization=weighed / util_ms / 1000 if util_ms else reading.utilization,
        )
        if not servers and reading.facts.kind == PACKAGE:  # what else processors do is no matter of tokens
            return replace(own, problem=own.problem or "no inference server on this box")
        if not servers:
            return own
        return self._with_servers(own, servers, axis, partners)

    def _with_servers(
        self, own: Signals, servers: Sequence[ServerFacts], axis: Axis, partners: Sequence[str]
    ) -> Signals:
        answering: list[_Server] = []
        silent: list[tuple[ServerFacts, _Server | None]] = []
        for facts in servers:
            server = self._servers.get(facts.address)
            if server is not None and _answers(server) and _same_process(facts, server):
                answering.append(server)
            else:
                silent.append((facts, server))
        running = _sum([server.running for server in answering])
        moved = any(self._moved(server, axis) for server in answering)
        if not moved and all(facts.metrics_url is None for facts, _ in silent):
            moved = any(self._works(address, axis) for address in partners)
        if silent and not running and not moved:
            return _silent(own, silent, axis)  # one that cannot be read may be the one at work
        return replace(
            own,
            server=_names(servers),
            answering=True,
            running=running,
            waiting=_sum([server.waiting for server in answering]),
            asleep=bool(answering) and all(server.asleep for server in answering),
            moved=moved if moved or all(server.counts for server in answering) else None,
            still_s=self._still_s(answering),
            evidence_s=min(((s.page_ms or 0) - s.watched_from_ms for s in answering), default=0) / 1000,
        )

    def _still_s(self, servers: Sequence[_Server]) -> float | None:
        """How long none of those that run requests has moved; None where one moves, or none can tell."""
        at_work = [server for server in servers if server.running]
        if not at_work or any(server.still_from_ms is None for server in at_work):
            return None
        return min((server.page_ms or 0) - (server.still_from_ms or 0) for server in at_work) / 1000

    def _moved(self, server: _Server, axis: Axis) -> bool:
        return server.moved_ms is not None and server.moved_ms > axis.tick_ms - self._width_ms

    def _works(self, address: str, axis: Axis) -> bool:
        """A partner runs requests, or its tokens or steps move."""
        server = self._servers.get(address)
        return server is not None and _answers(server) and (bool(server.running) or self._moved(server, axis))


def _answers(server: _Server) -> bool:
    return server.page_ms is not None and server.failures < _FAILED_SCRAPES


def _silent(own: Signals, silent: Sequence[tuple[ServerFacts, _Server | None]], axis: Axis) -> Signals:
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
        answered_before=any(_same_process(facts, server) for facts, server in tried if server.page_ms is not None),
        server_age_s=min(ages_s, default=None),
        server_problem=next((server.problem for _, server in tried if server.problem), ""),
    )


def _names(servers: Sequence[ServerFacts]) -> str:
    return ", ".join(facts.model or facts.engine for facts in servers)


def _movement(entry: ServerEntry, flows: Sequence[FlowEntry]) -> int | None:
    """Steps or tokens that moved; None where their standing still would prove nothing."""
    tokens = [value for flow in flows for value in (flow.output_tokens, flow.prompt_tokens) if value is not None]
    if entry.progress is not None:
        return entry.progress + sum(tokens)
    silent_at_work = entry.flags & Flag.AT_END and entry.running is None  # a long answer moves nothing until its end
    return None if not tokens or (silent_at_work and not any(tokens)) else sum(tokens)


def _same_process(facts: ServerFacts, server: _Server) -> bool:
    """The process that runs now is the one that answered; a new one may still be loading."""
    started_s = facts.started_at_s
    return started_s is None or server.answered_started_s is None or abs(started_s - server.answered_started_s) < 60


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
