"""The order of the states, and those that are told from who answers, what runs and what moved."""

from __future__ import annotations

from tokwatch.ledger.entries import State
from tokwatch.ledger.states.load_rules import LOAD_RULES, WITH_PAGES, at_work
from tokwatch.ledger.states.signals import Past, Signals
from tokwatch.ledger.states.thresholds import Thresholds

_HOLDS_MEMORY_MIB = 1024
_NO_REQUEST = "loaded, no request"
_ASLEEP = "asleep on purpose"


def judge(signals: Signals, past: Past, limits: Thresholds) -> tuple[State, str]:
    """The state and a line for the user, which numbers stay out of: each change of it is an event in the store."""
    if signals.lost:
        return State.LOST, signals.problem
    if signals.problem:
        return State.UNKNOWN, signals.problem
    if past.state is State.LOST and past.gone_s == 0:
        return State.LOST, "answers again"  # one good reading may be a lucky one
    if signals.unread and not at_work(signals):
        # A recorder that restarts takes a second to read the first page: the parked GPU it left is parked still.
        goes_on = past.state is State.PARKED or past.state in WITH_PAGES
        return (past.state, past.note) if goes_on else (State.UNKNOWN, f"{signals.server}: not read yet")
    busy = _busy(signals, past.state, limits)
    free = signals.memory_used_mib is not None and signals.memory_used_mib < _HOLDS_MEMORY_MIB
    empty = signals.has_process is False and busy is False and free
    if signals.answering is False and signals.server_age_s is None and empty:
        return State.UNALLOCATED, f"{signals.server} is not here"  # the config names it, and nothing of it runs
    if signals.answering is not None:
        return _judge_serving(signals, past, busy, limits)
    if signals.has_process:
        if busy is None:
            return State.UNKNOWN, "a process is on it, but the device does not say whether it is busy"
        if busy:
            return State.OTHER_WORK, "busy, no inference server known on it"
        if past.state is not State.HELD and signals.listed_s < limits.evidence_window_s:
            return State.UNKNOWN, "a process is on it, not for long enough to call it idle"  # a server may be starting
        return State.HELD, "held by a process"
    if busy:
        return State.OTHER_WORK, "busy, its processes are not visible"
    if empty:
        return State.UNALLOCATED, "no process"
    if signals.has_process is None and busy is False and free:  # exporters list no processes, and all hold memory
        return State.UNALLOCATED, "no memory in use"
    return State.UNKNOWN, _why_unknown(signals)


def reason_is_there(signals: Signals, state: State, limits: Thresholds) -> bool:
    """Whether what made a state is still there, which takes less than to enter it. True of states left at once."""
    if state is State.LOST:
        return signals.lost
    rule = WITH_PAGES.get(state)
    return rule is None or rule.stays(signals, limits)


def _busy(signals: Signals, now: State, limits: Thresholds) -> bool | None:
    if signals.utilization is None:
        return None
    return signals.utilization >= (limits.held_leaves_at_utilization if now is State.HELD else limits.idle_utilization)


def _judge_serving(signals: Signals, past: Past, busy: bool | None, limits: Thresholds) -> tuple[State, str]:
    if not signals.answering:
        if signals.answered_before or not signals.has_page:
            return State.BLIND, signals.server_problem
        if signals.server_age_s is None or signals.server_age_s < limits.loading_at_most_s:
            return State.LOADING, f"{signals.server} is starting"
        if busy is False:
            return State.HELD, f"{signals.server} does not come up: {signals.server_problem}"
        return State.BLIND, signals.server_problem
    if signals.still_s is not None and signals.still_s >= _patience_s(signals, limits) and not signals.moved:
        return State.STALLED, _how_stalled(signals, limits)
    if signals.foreign and not at_work(signals) and not signals.waiting:
        if signals.utilization is None:
            return State.UNKNOWN, "another process is on it, but the device does not say whether it is busy"
        if _works_for_others(signals.utilization, past.state, limits):
            return State.OTHER_WORK, f"another process is at work here, {signals.server} has no request"
    for rule in LOAD_RULES:
        if (note := rule.holds(signals, past, limits)) is not None:
            return rule.state, note
    if at_work(signals):
        return State.SERVING, ""
    if signals.waiting:
        return State.UNKNOWN, "requests wait, none runs, no tokens"
    if signals.evidence_s < limits.evidence_window_s:
        return (State.PARKED, past.note) if past.state is State.PARKED else (State.UNKNOWN, "warming up")
    if signals.asleep:
        return State.PARKED, _ASLEEP
    if signals.moved is None:
        return State.UNKNOWN, f"{signals.server} counts no tokens"
    return State.PARKED, _NO_REQUEST


def _patience_s(signals: Signals, limits: Thresholds) -> float:
    """How long nothing may move while requests run before that is a stall. The dwell time comes on top."""
    longest_prefill_s = limits.stalled_ttfts * (signals.ttft_p99_s or 0.0)
    return max(limits.evidence_window_s, longest_prefill_s - limits.stalled_after_s)


def _how_stalled(signals: Signals, limits: Thresholds) -> str:
    """A kernel that never ends is another trouble than an engine that starts none."""
    hot = _hot(signals, limits)
    return (
        "requests run, no token"
        if hot is None
        else f"requests run, no token, the GPU is {'busy' if hot else 'at rest'}"
    )


def _works_for_others(utilization: float, now: State, limits: Thresholds) -> bool:
    """A job that is known to be at work goes on while it reads its data."""
    return utilization >= (limits.held_leaves_at_utilization if now is State.OTHER_WORK else limits.hot_utilization)


def _hot(signals: Signals, limits: Thresholds) -> bool | None:
    told = []
    if signals.utilization is not None:
        told.append(signals.utilization >= limits.hot_utilization)
    if signals.power_w is not None and signals.work_w is not None:
        told.append(signals.power_w > signals.work_w)
    return any(told) if told else None


def _why_unknown(signals: Signals) -> str:
    if signals.has_process is None:
        return "processes not visible"
    if signals.utilization is None:
        return "utilization not available"
    return "memory held, no visible process"
