"""Alerts: pending → firing → resolving → resolved, one a state, with the GPUs that are in it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tokwatch.ledger.alerts import KEEP_FIRING_S, AlertBody, AlertTracker
from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.states import StateBody

FIRE_S = 300  # parked
WARN_S = 1800


def in_state(state: State, since_s: int = 0) -> StateBody:
    return StateBody(state, since_s * 1000, True, "")


PARKED = in_state(State.PARKED)
SERVING = in_state(State.SERVING)


class Alerts:
    """A tracker and the last body of each alert."""

    def __init__(self, *resumed: AlertBody) -> None:
        self.tracker = AlertTracker()
        self.bodies: dict[str, AlertBody] = {}
        self.events: list[Event] = []
        for body in resumed:
            self.tracker.resume(body)

    def at(self, second: int, *states: StateBody) -> AlertBody | None:
        """The parked alert once GPU 1, 2, … have been in these states."""
        for event in self.tracker.step(second * 1000, dict(enumerate(states, 1))):
            assert (event.tick_ms, event.entity, event.kind) == (second * 1000, 0, "alert")
            self.events.append(event)
            self.bodies[event.key] = msgspec.json.decode(event.body, type=AlertBody)
        return self.bodies.get("parked")

    def status(self, second: int, *states: StateBody) -> str:
        body = self.at(second, *states)
        return body.status if body else ""

    def statuses(self, seconds: Iterable[int], *states: StateBody) -> list[str]:
        return [self.status(second, *states) for second in seconds]


def test_an_alert_goes_from_pending_to_resolved() -> None:
    alerts = Alerts()
    assert alerts.status(0, SERVING) == ""
    assert alerts.statuses([1, FIRE_S - 1, FIRE_S, FIRE_S + 1], PARKED) == ["pending", "pending", "firing", "firing"]
    cleared = FIRE_S + 10
    ends = [cleared, cleared + KEEP_FIRING_S - 1, cleared + KEEP_FIRING_S]
    assert alerts.statuses(ends, SERVING) == ["resolving", "resolving", "resolved"]
    body = alerts.bodies["parked"]
    assert (body.since_ms, body.fired_ms, body.cleared_ms) == (0, FIRE_S * 1000, cleared * 1000)


def test_an_event_is_written_only_when_something_changes() -> None:
    alerts = Alerts()
    for second in range(FIRE_S + 100):
        alerts.at(second, PARKED)
    assert [msgspec.json.decode(event.body)["status"] for event in alerts.events] == ["pending", "firing"]


def test_a_condition_that_ends_before_its_time_never_fired() -> None:
    alerts = Alerts()
    assert alerts.statuses([1, 2], PARKED) == ["pending", "pending"]
    body = alerts.at(3, SERVING)
    assert body is not None
    assert (body.status, body.gpus, body.fired_ms) == ("resolved", (), None)


def test_the_severity_escalates_with_time() -> None:
    alerts = Alerts()
    severities = []
    for second in (FIRE_S, WARN_S - 1, WARN_S):
        body = alerts.at(second, PARKED)
        assert body is not None
        severities.append(body.severity)
    assert severities == ["info", "info", "warning"]


def test_gpus_join_and_leave_one_alert() -> None:
    alerts = Alerts()
    late = in_state(State.PARKED, 60)
    steps = [
        (FIRE_S, (PARKED, late, SERVING), (1,)),
        (FIRE_S + 60, (PARKED, late, SERVING), (1, 2)),
        (FIRE_S + 61, (SERVING, late, SERVING), (2,)),
        (FIRE_S + 62, (in_state(State.PARKED, FIRE_S), late, SERVING), (2,)),
    ]
    for second, states, gpus in steps:
        body = alerts.at(second, *states)
        assert body is not None
        assert (body.gpus, body.status, body.fired_ms) == (gpus, "firing", FIRE_S * 1000)


def test_the_gpu_longest_in_the_state_comes_first_and_dates_the_alert() -> None:
    body = Alerts().at(2 * FIRE_S, in_state(State.PARKED, 60), in_state(State.PARKED, 20))
    assert body is not None
    assert (body.gpus, body.since_ms) == ((2, 1), 20_000)


def test_a_return_while_resolving_is_the_same_alert() -> None:
    alerts = Alerts()
    alerts.at(FIRE_S, PARKED)
    alerts.at(FIRE_S + 1, SERVING)
    body = alerts.at(FIRE_S + 2, PARKED)
    assert body is not None
    assert (body.status, body.fired_ms, body.cleared_ms) == ("firing", FIRE_S * 1000, None)


def test_flapping_does_not_multiply_alerts() -> None:
    alerts = Alerts()
    alerts.at(FIRE_S, PARKED)
    for second in range(FIRE_S, FIRE_S + 3600, 20):
        alerts.at(second, SERVING if second // 20 % 2 else PARKED)
    fired = {msgspec.json.decode(event.body)["fired_ms"] for event in alerts.events}
    assert fired == {FIRE_S * 1000}
    assert alerts.bodies["parked"].status in ("firing", "resolving")


def test_after_it_resolved_the_next_one_is_new() -> None:
    alerts = Alerts()
    alerts.at(FIRE_S, PARKED)
    alerts.at(FIRE_S + 1, SERVING)
    assert alerts.status(FIRE_S + 1 + KEEP_FIRING_S, SERVING) == "resolved"
    again = in_state(State.PARKED, 1000)
    assert alerts.statuses([1001, 1000 + FIRE_S], again) == ["pending", "firing"]
    assert alerts.bodies["parked"].fired_ms == (1000 + FIRE_S) * 1000


def test_an_alert_of_an_earlier_run_goes_on() -> None:
    before = Alerts()
    body = before.at(FIRE_S, PARKED)
    assert body is not None
    after = Alerts(body)
    assert after.at(FIRE_S + 1, PARKED) is None  # nothing changed: nothing is written
    assert after.status(FIRE_S + 2) == "resolving"  # no GPU was read yet
    assert after.status(FIRE_S + 3, PARKED) == "firing"
    assert after.bodies["parked"].fired_ms == FIRE_S * 1000


def test_states_have_their_own_alerts_and_times() -> None:
    alerts = Alerts()
    states = (in_state(State.LOST), in_state(State.BLIND), in_state(State.HELD), in_state(State.UNALLOCATED))
    due: dict[str, int] = {}
    for second in (14, 15, 119, 120, 899, 900, 1799, 1800):
        alerts.at(second, *states)
        firing = {key for key, body in alerts.bodies.items() if body.status == "firing"}
        due |= {key: second for key in firing if key not in due}
    assert due == {"lost": 15, "blind": 120, "unallocated": 900, "held": 1800}
    assert {key: body.severity for key, body in alerts.bodies.items()} == {
        "lost": "critical",
        "blind": "warning",
        "unallocated": "info",
        "held": "warning",
    }


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=40))
def test_every_alert_steps_through_its_stages_in_order(stretches: list[tuple[int, bool]]) -> None:
    """Seconds, and whether the GPU was parked in them."""
    alerts, second, seen = Alerts(), 0, [""]
    for seconds, parked in stretches:
        state = in_state(State.PARKED, second) if parked else in_state(State.SERVING, second)
        for at in {second, second + seconds // 2, second + seconds - 1}:
            alerts.at(max(second, at), state)
        second += seconds
    seen += [msgspec.json.decode(event.body)["status"] for event in alerts.events]
    allowed = {
        "": {"pending", "firing"},
        "pending": {"pending", "firing", "resolved"},
        "firing": {"firing", "resolving"},
        "resolving": {"firing", "resolved"},
        "resolved": {"pending", "firing"},
    }
    assert all(after in allowed[before] for before, after in pairwise(seen))
