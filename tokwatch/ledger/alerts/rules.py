"""When something becomes an alert: rules on states, on figures, on the budget, and what is common to all of them."""

from __future__ import annotations

from typing import Final

import msgspec

from tokwatch.ledger.alerts.body import Severity
from tokwatch.ledger.alerts.conditions import Condition
from tokwatch.ledger.entries import State

# While a GPU is in one of these nobody can tell whether it is parked, held, throttled …
_UNTOLD: Final = frozenset({State.UNKNOWN, State.BLIND})


class StateRule(msgspec.Struct, frozen=True):
    """When a state becomes an alert. Times count from the state's beginning, and only a confirmed state fires."""

    state: State
    fire_after_s: float
    severity: Severity
    warn_after_s: float | None = None  # the severity becomes "warning"
    text: str = ""
    untold_in: frozenset[State] = _UNTOLD  # states that neither confirm nor end it

    @property
    def key(self) -> str:
        return self.state.name.lower()


STATE_RULES: Final = (
    # To be lost, blind or loading is over as soon as anything else is seen.
    StateRule(State.LOST, 15, "critical", text="GPU lost", untold_in=frozenset()),
    StateRule(State.STALLED, 30, "critical", text="requests run, no token is made"),
    StateRule(State.BLIND, 120, "warning", text="server not readable", untold_in=frozenset()),
    StateRule(State.LOADING, 900, "warning", text="still loading", untold_in=frozenset()),
    StateRule(State.THROTTLED, 60, "warning", text="slowed down by heat or power while requests run"),
    StateRule(State.SATURATED, 30, "warning", text="requests wait, the KV cache is full"),
    StateRule(State.BACKLOG, 30, "info", 270, "requests wait although the KV cache has room"),
    StateRule(State.MISROUTED, 30, "warning", text="no request, while a replica has a queue"),
    StateRule(State.PARKED, 300, "info", 1800, "loaded, no request"),
    StateRule(State.HELD, 1800, "warning", text="memory held, nothing runs"),
    StateRule(State.UNALLOCATED, 900, "info", 3600, "no process"),
    StateRule(State.UNDERBATCHED, 600, "info", text="few tokens for what it could do"),
)
FAULTS: Final = (State.LOST, State.STALLED)  # the first one names it


class FigureRule(msgspec.Struct, frozen=True):
    """`[[alerts]]`: a condition on a figure, and how long it must hold."""

    name: str
    condition: Condition
    fire_after_s: float
    severity: Severity


class SeverityShares(msgspec.Struct, frozen=True):
    """Shares of what the host's GPUs cost an hour, 0..1, by which idle GPUs are the more severe the dearer they are."""

    info_below: float = 0.01
    warning_from: float = 0.05
    critical_from: float = 0.20


class AlertPolicy(msgspec.Struct, frozen=True):
    """Everything an AlertTracker goes by."""

    states: tuple[StateRule, ...] = STATE_RULES
    figures: tuple[FigureRule, ...] = ()
    usd_per_month: float | None = None  # the budget
    keep_firing_s: float = 120.0  # against flapping
    shares: SeverityShares = SeverityShares()
