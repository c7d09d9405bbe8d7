"""Each GPU's state over time: since when, whether its dwell has passed, and what changed as events."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.states.judge import judge, reason_is_there
from tokwatch.ledger.states.signals import Past, Signals
from tokwatch.ledger.states.thresholds import Thresholds

_READINGS = 3  # so many at least confirm a state, however far apart they are: one bad answer of a driver is no fault


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
        self._gone_from_ms: dict[int, int] = {}  # since when what made the state of a GPU is gone
        self._readings: dict[int, int] = defaultdict(int)  # how many of this run showed what made it

    def resume(self, entity: int, body: StateBody) -> None:
        """Go on from the last state an earlier run decided: a parked GPU is parked since it was first seen so."""
        self._bodies[entity] = body

    def step(
        self, entity: int, signals: Signals, now_ms: int, t0_ms: int, t1_ms: int
    ) -> tuple[StateBody, Event | None]:
        """Decide for the entry (t0, t1] of the tick at now_ms; an Event when anything changed."""
        before = self._bodies.get(entity)
        state, note = judge(signals, self._past(entity, before, signals, t1_ms), self.limits)
        goes_on = before is not None and before.state == state
        if not goes_on:
            self._gone_from_ms.pop(entity, None)
            self._readings[entity] = 0
        if entity not in self._gone_from_ms:
            self._readings[entity] += 1
        since_ms = before.since_ms if before is not None and goes_on else t0_ms
        confirmed = goes_on and before is not None and before.confirmed
        body = StateBody(int(state), since_ms, confirmed or self._lasted(entity, state, t1_ms - since_ms), note)
        self._bodies[entity] = body
        if body == before:
            return body, None
        return body, Event(now_ms, entity, "state", "", msgspec.json.encode(body))

    def _lasted(self, entity: int, state: State, lasted_ms: int) -> bool:
        dwell_s = self.limits.dwell_s(state)
        return not dwell_s or (lasted_ms >= dwell_s * 1000 and self._readings[entity] >= _READINGS)

    def _past(self, entity: int, before: StateBody | None, signals: Signals, t1_ms: int) -> Past:
        if before is None:
            return Past()
        state = State(before.state)
        if reason_is_there(signals, state, self.limits):
            self._gone_from_ms.pop(entity, None)
            return Past(state, before.confirmed, before.note)
        gone_from_ms = self._gone_from_ms.setdefault(entity, t1_ms)
        return Past(state, before.confirmed, before.note, (t1_ms - gone_from_ms) / 1000)
