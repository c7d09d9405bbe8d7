"""Alerts on states: pending → firing → resolving → resolved, one per state and host with its GPUs listed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.states import StateBody


class Rule(msgspec.Struct, frozen=True):
    """When a state becomes an alert. Times count from the state's beginning."""

    state: State
    fire_after_s: float
    severity: str
    warn_after_s: float | None = None  # the severity becomes "warning"
    text: str = ""


RULES = (
    Rule(State.LOST, 15, "critical", text="GPU lost"),
    Rule(State.STALLED, 30, "critical", text="requests run, no token is made"),
    Rule(State.BLIND, 120, "warning", text="server not readable"),
    Rule(State.LOADING, 900, "warning", text="still loading"),
    Rule(State.PARKED, 300, "info", 1800, "loaded, no request"),
    Rule(State.HELD, 1800, "warning", text="memory held, nothing runs"),
    Rule(State.UNALLOCATED, 900, "info", 3600, "no process"),
)
KEEP_FIRING_S = 120  # against flapping and missing data


class AlertBody(msgspec.Struct, frozen=True):
    """The body of an `alert` event; its key is the state's name."""

    state: int
    status: str  # "pending" | "firing" | "resolving" | "resolved"
    severity: str
    text: str
    gpus: tuple[int, ...]  # entities, the one longest in the state first
    since_ms: int  # when the longest of them entered the state
    fired_ms: int | None
    cleared_ms: int | None  # when the condition ended


class AlertTracker:
    """Steps every rule once a tick; says what changed as events."""

    def __init__(self, rules: tuple[Rule, ...] = RULES) -> None:
        self._rules = rules
        self._alerts: dict[State, AlertBody] = {}

    def resume(self, body: AlertBody) -> None:
        """Go on from an earlier run's alert."""
        self._alerts[State(body.state)] = body

    def step(self, now_ms: int, states: Mapping[int, StateBody]) -> tuple[Event, ...]:
        """One tick: states of all GPUs by entity."""
        events = []
        for rule in self._rules:
            before = self._alerts.get(rule.state)
            after = _next(rule, before, now_ms, states)
            if after is None or after == before:
                continue
            self._alerts[rule.state] = after
            events.append(Event(now_ms, 0, "alert", rule.state.name.lower(), msgspec.json.encode(after)))
        return tuple(events)


def _next(rule: Rule, before: AlertBody | None, now_ms: int, states: Mapping[int, StateBody]) -> AlertBody | None:
    in_state = {entity: body for entity, body in states.items() if body.state == rule.state}
    due = [e for e in _longest_first(in_state) if now_ms - in_state[e].since_ms >= rule.fire_after_s * 1000]
    active = before is not None and before.status in ("firing", "resolving")
    if not due and not active:
        return _pending(rule, before, in_state)
    if due:
        since_ms = in_state[due[0]].since_ms
        warn = rule.warn_after_s is not None and now_ms - since_ms >= rule.warn_after_s * 1000
        fired_ms = before.fired_ms if before is not None and active else now_ms
        severity = "warning" if warn else rule.severity
        return AlertBody(rule.state, "firing", severity, rule.text, tuple(due), since_ms, fired_ms, None)
    assert before is not None
    cleared_ms = before.cleared_ms if before.cleared_ms is not None else now_ms
    status = "resolving" if now_ms - cleared_ms < KEEP_FIRING_S * 1000 else "resolved"
    return msgspec.structs.replace(before, status=status, cleared_ms=cleared_ms)


def _pending(rule: Rule, before: AlertBody | None, in_state: Mapping[int, StateBody]) -> AlertBody | None:
    if in_state:
        gpus = _longest_first(in_state)
        since_ms = in_state[gpus[0]].since_ms
        return AlertBody(rule.state, "pending", rule.severity, rule.text, tuple(gpus), since_ms, None, None)
    if before is not None and before.status == "pending":
        return msgspec.structs.replace(before, status="resolved", gpus=(), fired_ms=None)
    return before


def _longest_first(in_state: Mapping[int, StateBody]) -> list[int]:
    return sorted(in_state, key=lambda entity: (in_state[entity].since_ms, entity))
