"""What proves work or idleness: the last seconds of each server and GPU, turned into Signals for the state machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.readings import GpuReading, Reason, ServerFacts, ServerReading
from tokwatch.ledger.entries import FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.states import Signals, Thresholds
from tokwatch.ledger.windows import Window

_FAILED_SCRAPES = 3  # one lost page is not a blind server


@dataclass(slots=True)
class _Server:
    window: Window  # moved, length_ms of scrapes whose movement is known, length_ms of all
    failures: int = 0
    problem: str = ""
    answered_started_s: float | None = None  # start of the process that answered last
    answered: bool = False
    running: int | None = None
    waiting: int | None = None


@dataclass(slots=True)
class _Gpu:
    window: Window  # utilization × ms, ms


class Evidence:
    """Keeps the evidence window of every server and GPU of one recorder."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._width_ms = int(limits.evidence_window_s * 1000)
        self._servers: dict[str, _Server] = {}  # by address
        self._gpus: dict[int, _Gpu] = {}

    def server(self, reading: ServerReading, entry: ServerEntry, flows: Sequence[FlowEntry], now_ms: int) -> None:
        """Take one scrape into account."""
        server = self._servers.setdefault(reading.server.address, _Server(Window(self._width_ms, 3)))
        server.window.expire(now_ms)
        if not reading.ok:
            server.failures += 1
            server.problem = reading.problem
            return
        server.failures, server.problem, server.answered = 0, "", True
        server.answered_started_s = reading.started_at_s or reading.server.started_at_s
        server.running, server.waiting = reading.running, reading.waiting
        length = max((flow.t1_ms - flow.t0_ms for flow in flows), default=entry.t1_ms - entry.t0_ms)
        moved = _movement(entry, flows)
        server.window.add(entry.t1_ms, (moved or 0, 0 if moved is None else length, length))

    def gpu(self, entry: GpuEntry, now_ms: int) -> None:
        """Take one GPU entry into account."""
        gpu = self._gpus.setdefault(entry.entity, _Gpu(Window(self._width_ms, 2)))
        gpu.window.expire(now_ms)
        length = entry.t1_ms - entry.t0_ms
        if entry.util_permille is not None:
            gpu.window.add(entry.t1_ms, (entry.util_permille * length, length))

    def signals(
        self,
        reading: GpuReading,
        entry: GpuEntry,
        servers: Sequence[ServerFacts],
        has_process: bool | None,
        now_s: float,
    ) -> Signals:
        """One GPU's signals, with the servers placed on it. now_s: wall clock, Unix seconds."""
        gpu = self._gpus.get(entry.entity)
        weighed, util_ms = gpu.window.sums if gpu else (0, 0)
        utilization = weighed / util_ms / 1000 if util_ms else reading.utilization
        own = Signals(
            problem=reading.problem_text or (reading.problem.value if reading.problem else ""),
            lost=reading.problem in (Reason.LOST, Reason.STALLED),
            has_process=has_process,
            memory_used_mib=entry.memory_used_mib,
            utilization=utilization,
        )
        if not servers:
            return own
        return self._with_servers(own, servers, now_s)

    def _with_servers(self, own: Signals, servers: Sequence[ServerFacts], now_s: float) -> Signals:
        tracked = [(facts, self._servers.get(facts.address)) for facts in servers]
        seen = [(facts, server) for facts, server in tracked if server is not None]
        answering = [server for _, server in seen if server.answered and server.failures < _FAILED_SCRAPES]
        ages = [now_s - facts.started_at_s for facts in servers if facts.started_at_s is not None]
        evidence = [server.window.sums for server in answering]
        return Signals(
            problem=own.problem,
            lost=own.lost,
            server=", ".join(facts.model or facts.engine for facts in servers),
            answering=bool(answering),
            answered_before=any(_same_process(facts, server) for facts, server in seen if server.answered),
            server_age_s=min(ages, default=None),
            server_problem=next((server.problem for _, server in seen if server.problem), "not read yet"),
            running=_sum([server.running for server in answering]),
            waiting=_sum([server.waiting for server in answering]),
            moved=any(sums[0] for sums in evidence) if any(sums[1] for sums in evidence) else None,
            evidence_s=min((sums[2] / 1000 for sums in evidence), default=0.0),
            has_process=True,
            memory_used_mib=own.memory_used_mib,
            utilization=own.utilization,
        )


def _movement(entry: ServerEntry, flows: Sequence[FlowEntry]) -> int | None:
    """Steps or tokens that moved; None when the engine publishes neither live."""
    counted = [
        value
        for value in (entry.progress, *(v for flow in flows for v in (flow.output_tokens, flow.prompt_tokens)))
        if value is not None
    ]
    return sum(counted) if counted else None


def _same_process(facts: ServerFacts, server: _Server) -> bool:
    """The process that runs now is the one that answered; a new one may still be loading."""
    started_s = facts.started_at_s
    return started_s is None or server.answered_started_s is None or abs(started_s - server.answered_started_s) < 60


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
