"""The states of a server that answers and is not as it should be: slowed, overrun, left out or hardly used.

Each begins at one threshold and is left at another, for a while: between them it goes on. Until a state is confirmed it
has no right to linger, and is over with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokwatch.ledger.entries import State
from tokwatch.ledger.states.signals import Past, Signals
from tokwatch.ledger.states.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class LoadRule:
    """When one state begins, goes on and is over."""

    state: State
    # Without it the state is over at once: no work is booked as idle, and no idleness as work.
    possible: Callable[[Signals], bool]
    begins: Callable[[Signals, Thresholds], bool]
    stays: Callable[[Signals, Thresholds], bool]  # it takes less than to begin
    note: Callable[[Signals], str]

    def holds(self, signals: Signals, past: Past, limits: Thresholds) -> str | None:
        """The line for the user; None where the state does not hold. One that only goes on keeps the line it had."""
        if not self.possible(signals):
            return None
        if self.begins(signals, limits):
            return self.note(signals)
        if past.state is not self.state:
            return None
        lingers = past.confirmed and past.gone_s is not None and past.gone_s < limits.leaves_after_s(self.state)
        return past.note if lingers or self.stays(signals, limits) else None


def at_work(signals: Signals) -> bool:
    """Requests run or tokens moved: the positive evidence that no GPU is serving without."""
    return bool(signals.running or signals.moved)


def _at_work_or_asked(signals: Signals) -> bool:
    return at_work(signals) or bool(signals.waiting)


def _at_rest(signals: Signals) -> bool:
    return signals.running == signals.waiting == 0 and not signals.moved and not signals.asleep


# --- THROTTLED: its hardware, or heat, slows it. A software power cap is normal at full load and is not looked at -----


def _slowed(signals: Signals, limits: Thresholds) -> bool:
    return signals.throttled is not None and signals.throttled >= limits.throttled_share


def _slowed_still(signals: Signals, limits: Thresholds) -> bool:
    return signals.throttled is not None and signals.throttled >= limits.throttled_leaves_at_share


def _slowed_note(signals: Signals) -> str:
    return f"slowed down: {signals.slowed_by}"


# --- SATURATED and BACKLOG: requests wait, for the KV cache or for another limit --------------------------------------


def _full(signals: Signals, limits: Thresholds) -> bool:
    return bool(signals.waiting) and signals.full_s >= limits.evidence_window_s


def _full_still(signals: Signals, limits: Thresholds) -> bool:
    return signals.pressed


def _full_note(signals: Signals) -> str:
    return "requests wait for room in the KV cache" + _spare(signals)


def _queued(signals: Signals, limits: Thresholds) -> bool:
    return bool(signals.waiting) and signals.queued_s >= limits.evidence_window_s


def _queued_still(signals: Signals, limits: Thresholds) -> bool:
    return bool(signals.waiting)


def _queued_note(signals: Signals) -> str:
    return ("requests wait" if at_work(signals) else "requests wait and none runs") + _spare(signals)


def _spare(signals: Signals) -> str:
    return f", none at the replica {signals.resting_replica}" if signals.resting_replica else ""


# --- MISROUTED: it rests while requests that it could serve wait elsewhere --------------------------------------------


def _left_out(signals: Signals, limits: Thresholds) -> bool:
    proven = signals.moved is False and signals.evidence_s >= limits.evidence_window_s
    return proven and bool(signals.replica_queue) and signals.replica_queued_s >= limits.evidence_window_s


def _left_out_still(signals: Signals, limits: Thresholds) -> bool:
    return bool(signals.replica_queue)


def _left_out_note(signals: Signals) -> str:
    return f"no request here, while some wait at the replica {signals.replica_queue}"


# --- UNDERBATCHED: it works, far below what it was seen to do ---------------------------------------------------------


def _hardly_used(signals: Signals, limits: Thresholds) -> bool:
    nobody_waits = signals.waiting == 0 and not signals.queue_elsewhere
    return nobody_waits and signals.load is not None and signals.load < limits.underbatched_load


def _hardly_used_still(signals: Signals, limits: Thresholds) -> bool:
    return signals.load is not None and signals.load <= limits.underbatched_leaves_at_load


def _hardly_used_note(signals: Signals) -> str:
    return "far below its capacity: fewer GPUs would do"


LOAD_RULES = (
    LoadRule(State.THROTTLED, at_work, _slowed, _slowed_still, _slowed_note),
    LoadRule(State.SATURATED, _at_work_or_asked, _full, _full_still, _full_note),
    LoadRule(State.BACKLOG, _at_work_or_asked, _queued, _queued_still, _queued_note),
    LoadRule(State.MISROUTED, _at_rest, _left_out, _left_out_still, _left_out_note),
    LoadRule(State.UNDERBATCHED, at_work, _hardly_used, _hardly_used_still, _hardly_used_note),
)
WITH_PAGES = {rule.state: rule for rule in LOAD_RULES}
