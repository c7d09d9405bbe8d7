"""A tracker that is stepped by hand, and the last body of each alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import msgspec

from tokwatch.ledger.alerts import AlertBody, AlertPolicy, AlertTracker, Watched
from tokwatch.ledger.alerts.conditions import Bounds, parse_condition
from tokwatch.ledger.alerts.mutes import Mute, Subject
from tokwatch.ledger.alerts.rules import FigureRule
from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.states import StateBody

HOST = "dgx-03"


def in_state(state: State, since_s: float = 0, *, confirmed: bool = True) -> StateBody:
    return StateBody(state, round(since_s * 1000), confirmed, "")


PARKED = in_state(State.PARKED)
SERVING = in_state(State.SERVING)


class Alerts:
    """GPUs are entities 1, 2, … with indices 0, 1, …; every event that was told is kept."""

    def __init__(
        self,
        policy: AlertPolicy | None = None,
        *,
        resumed: Mapping[str, AlertBody] | None = None,
        mutes: Iterable[Mute] = (),
        usd_per_hour: Mapping[int, float | None] | None = None,
    ) -> None:
        self.tracker = AlertTracker(policy, host=HOST)
        self.tracker.mutes = tuple(mutes)
        self.bodies: dict[str, AlertBody] = dict(resumed or {})
        self.events: list[Event] = []
        self._usd_per_hour = usd_per_hour or {}
        for key, body in self.bodies.items():
            self.tracker.resume(key, body)

    def step(self, second: float, states: Mapping[int, StateBody], watched: Watched | None = None) -> None:
        """One tick. A GPU that is not named was not heard of."""
        subjects = {gpu: Subject(HOST, gpu - 1, f"GPU-{gpu}", ("qwen",)) for gpu in states}
        shown = replace(watched or Watched(), states=states, subjects=subjects, usd_per_hour=self._usd_per_hour)
        now_ms = round(second * 1000)
        for event in self.tracker.step(now_ms, shown):
            assert (event.tick_ms, event.entity, event.kind) == (now_ms, 0, "alert")
            self.events.append(event)
            self.bodies[event.key] = msgspec.json.decode(event.body, type=AlertBody)

    def at(self, second: float, *states: StateBody, key: str = "parked") -> AlertBody | None:
        """An alert once GPU 1, 2, … have been in these states."""
        self.step(second, dict(enumerate(states, 1)))
        return self.bodies.get(key)

    def fired(self, second: float, *states: StateBody, key: str = "parked") -> AlertBody:
        """The alert, which fires by then if it can: what it waits for is over, and it was seen before."""
        self.at(second - 1, *states, key=key)
        body = self.at(second, *states, key=key)
        assert body is not None
        return body

    def status(self, second: float, *states: StateBody, key: str = "parked") -> str:
        body = self.at(second, *states, key=key)
        return body.status if body else ""

    def statuses(self, seconds: Iterable[float], *states: StateBody) -> list[str]:
        return [self.status(second, *states) for second in seconds]

    def told(self, key: str) -> list[AlertBody]:
        """What was told of an alert, in order."""
        return [msgspec.json.decode(event.body, type=AlertBody) for event in self.events if event.key == key]


class OnFigure:
    """One rule on one figure, called "slow"."""

    def __init__(self, when: str = "tok_s < 100", for_s: float = 60) -> None:
        self._condition = parse_condition(when)
        rule = FigureRule("slow", self._condition, for_s, "warning")
        self._alerts = Alerts(AlertPolicy(states=(), figures=(rule,)))
        self.newly_firing = False

    def step(self, second: float, *values: float | None) -> None:
        """One tick, with the figure's readings; a value is exact."""
        bounds = tuple(None if value is None else Bounds(value, value) for value in values)
        before = self.status
        self._alerts.step(second, {}, Watched(figures={self._condition.figure: bounds}))
        self.newly_firing = self.status == "firing" and before == "pending"

    @property
    def status(self) -> str:
        return self.body.status if "slow" in self._alerts.bodies else ""

    @property
    def body(self) -> AlertBody:
        return self._alerts.bodies["slow"]

    @property
    def told(self) -> list[AlertBody]:
        return self._alerts.told("slow")
