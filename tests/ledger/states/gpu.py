"""Signals of GPUs as the tests need them, and a GPU whose signals last for seconds."""

from __future__ import annotations

from msgspec.structs import replace

from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.states import Signals, StateBody, StateTracker, Thresholds

LIMITS = Thresholds()

SERVED = Signals(server="Qwen3-32B", answering=True, running=0, waiting=0, moved=False, evidence_s=30, has_process=True)
BUSY = replace(SERVED, running=8, moved=True, utilization=0.9)
SILENT = Signals(
    server="Qwen3-32B", answering=False, server_problem="connection refused", has_process=True, utilization=0.0
)
FREE = Signals(has_process=False, memory_used_mib=500, utilization=0.0)
GONE = Signals(lost=True, problem="fell off the bus")

THROTTLED = replace(BUSY, throttled=0.2, slowed_by="too hot")
QUEUED = replace(BUSY, waiting=3, queued_s=30)
FULL = replace(QUEUED, full_s=30, pressed=True)
LEFT_OUT = replace(SERVED, replica_queue="127.0.0.1:8001", replica_queued_s=30)
HARDLY_USED = replace(BUSY, load=0.24)


class Gpu:
    """One GPU, judged once a second from second 0 on."""

    def __init__(self, limits: Thresholds = LIMITS) -> None:
        self.tracker = StateTracker(limits)
        self.second = 0
        self.body = StateBody(State.UNKNOWN, 0, False, "")
        self.events: list[Event] = []

    def lasts(self, seconds: int, signals: Signals) -> State:
        """The signals last so long; the state after that."""
        for _ in range(seconds):
            t0_ms, self.second = self.second * 1000, self.second + 1
            self.body, event = self.tracker.step(1, signals, self.second * 1000, t0_ms, self.second * 1000)
            if event is not None:
                self.events.append(event)
        return State(self.body.state)

    @property
    def since_s(self) -> float:
        return self.body.since_ms / 1000
