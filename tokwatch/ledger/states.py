"""What each GPU is doing: from signals to a state, its beginning and its dwell.

Rows are tried in order and the first that holds is the state. Seconds are booked to the state at once; `confirmed`
says that it has lasted its dwell time, which is when alerts may speak of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tokwatch.ledger.entries import Event, State

_HOLDS_MEMORY_MIB = 1024
_HOT = 0.5  # busy time from which a hang is one in a kernel
_NO_REQUEST = "loaded, no request"
_ASLEEP = "asleep on purpose"


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dwell and evaluation times of `[states]` in the config, seconds unless named otherwise."""

    lost_after_s: float = 15.0
    held_after_s: float = 600.0
    parked_after_s: float = 300.0
    unallocated_after_s: float = 300.0
    other_work_after_s: float = 60.0
    stalled_after_s: float = 30.0  # on top of the evidence window, in which nothing may have moved either
    loading_at_most_s: float = 900.0  # a process whose endpoint is not up by then is HELD
    evidence_window_s: float = 30.0  # tokens moved in it mean work; nothing idle is judged before it is full
    idle_utilization: float = 0.01  # busy time below which a GPU runs no kernels worth the name
    held_leaves_at_utilization: float = 0.05

    def dwell_s(self, state: State) -> float:
        """How long a state must last before it is confirmed."""
        return {
            State.LOST: self.lost_after_s,
            State.HELD: self.held_after_s,
            State.PARKED: self.parked_after_s,
            State.UNALLOCATED: self.unallocated_after_s,
            State.OTHER_WORK: self.other_work_after_s,
            State.STALLED: self.stalled_after_s,
        }.get(state, 0.0)


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one GPU at one tick. None is unknown."""

    problem: str = ""  # the device does not answer: why, in the user's words
    lost: bool = False  # … and it is gone, or has stopped answering, rather than refused
    server: str = ""  # names of the known servers placed on it, "" without
    unread: bool = False  # a server is placed on it whose page nobody has asked for yet in this run
    answering: bool | None = None  # the placed servers' pages are read; None: no server is placed
    has_page: bool = True  # False: an engine without a metrics page, whose silence says nothing
    answered_before: bool = False  # the page was read at some time in this incarnation
    server_age_s: float | None = None
    server_problem: str = ""
    running: int | None = None
    waiting: int | None = None
    asleep: bool = False  # all of the placed servers were put to sleep: their memory is free
    moved: bool | None = None  # tokens or steps moved in the evidence window; None: nothing tells
    still_s: float | None = None  # how long requests ran and nothing moved on live pages; None: no page can tell
    evidence_s: float = 0.0  # how much of the evidence window was watched
    has_process: bool | None = None
    memory_used_mib: int | None = None
    utilization: float | None = None  # mean busy time over the evidence window


def judge(signals: Signals, now: State, limits: Thresholds) -> tuple[State, str]:
    """The state and a line for the user. `now` is the state so far: it takes more to leave HELD, or PARKED, than to
    enter it."""
    if signals.lost:
        return State.LOST, signals.problem
    if signals.problem:
        return State.UNKNOWN, signals.problem
    if signals.unread and not (signals.running or signals.moved):
        # A recorder that restarts takes a second to read the first page: the parked GPU it left is parked still.
        return (now, _NO_REQUEST) if now is State.PARKED else (State.UNKNOWN, f"{signals.server}: not read yet")
    busy = _busy(signals, now, limits)
    if signals.answering is not None:
        return _judge_serving(signals, now, busy, limits)
    if signals.has_process:
        if busy is None:
            return State.UNKNOWN, "a process is on it, but the device does not say whether it is busy"
        return (
            (State.OTHER_WORK, "busy, no inference server known on it") if busy else (State.HELD, "held by a process")
        )
    if busy:
        return State.OTHER_WORK, "busy, its processes are not visible"
    free = signals.memory_used_mib is not None and signals.memory_used_mib < _HOLDS_MEMORY_MIB
    if signals.has_process is False and busy is False and free:
        return State.UNALLOCATED, "no process"
    return State.UNKNOWN, _why_unknown(signals)


def _busy(signals: Signals, now: State, limits: Thresholds) -> bool | None:
    if signals.utilization is None:
        return None
    return signals.utilization >= (limits.held_leaves_at_utilization if now is State.HELD else limits.idle_utilization)


def _judge_serving(signals: Signals, now: State, busy: bool | None, limits: Thresholds) -> tuple[State, str]:
    if not signals.answering:
        if signals.answered_before or not signals.has_page:
            return State.BLIND, signals.server_problem
        if signals.server_age_s is None or signals.server_age_s < limits.loading_at_most_s:
            return State.LOADING, f"{signals.server} is starting"
        if busy is False:
            return State.HELD, f"{signals.server} does not come up: {signals.server_problem}"
        return State.BLIND, signals.server_problem
    if signals.still_s is not None and signals.still_s >= limits.evidence_window_s and not signals.moved:
        return State.STALLED, _how_stalled(signals)
    if signals.running or signals.moved:
        return State.SERVING, ""
    if signals.waiting:
        return State.UNKNOWN, f"{signals.waiting} waiting, none running, no tokens"
    if signals.evidence_s < limits.evidence_window_s:
        return (now, _NO_REQUEST) if now is State.PARKED else (State.UNKNOWN, "warming up")
    if signals.asleep:
        return State.PARKED, _ASLEEP
    if signals.moved is None:
        return State.UNKNOWN, f"{signals.server} counts no tokens"
    return State.PARKED, _NO_REQUEST


def _how_stalled(signals: Signals) -> str:
    """A kernel that never ends is another trouble than an engine that starts none."""
    running = f"{signals.running} running, no token"
    if signals.utilization is None:
        return running
    return f"{running}, the GPU is {'busy' if signals.utilization >= _HOT else 'at rest'}"


def _why_unknown(signals: Signals) -> str:
    if signals.has_process is None:
        return "processes not visible"
    if signals.utilization is None:
        return "utilization not available"
    return "memory held, no visible process"


class StateBody(msgspec.Struct, frozen=True):
    """The body of a `state` event."""

    state: int
    since_ms: int
    confirmed: bool
    note: str


class StateTracker:
    """Keeps each GPU's state, since when, and whether its dwell has passed; says what changed as events."""

    def __init__(self, limits: Thresholds) -> None:
        self.limits = limits
        self._bodies: dict[int, StateBody] = {}

    def resume(self, entity: int, body: StateBody) -> None:
        """Go on from the last state an earlier run decided: a parked GPU is parked since it was first seen so."""
        self._bodies[entity] = body

    def step(
        self, entity: int, signals: Signals, now_ms: int, t0_ms: int, t1_ms: int
    ) -> tuple[StateBody, Event | None]:
        """Decide for the entry (t0, t1] of the tick at now_ms; an Event when anything changed."""
        before = self._bodies.get(entity)
        now = State(before.state) if before else State.UNKNOWN
        state, note = judge(signals, now, self.limits)
        since_ms = before.since_ms if before and before.state == state else t0_ms
        confirmed = t1_ms - since_ms >= self.limits.dwell_s(state) * 1000
        body = StateBody(int(state), since_ms, confirmed, note)
        self._bodies[entity] = body
        if body == before:
            return body, None
        return body, Event(now_ms, entity, "state", "", msgspec.json.encode(body))
