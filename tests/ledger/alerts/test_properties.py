"""Whatever happens to a GPU: what an alert never does."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.alerts.stepping import HOST, Alerts, OnFigure, in_state
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.alerts.rules import STATE_RULES
from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.states import StateBody

ALLOWED = {
    "": {"pending"},
    "pending": {"pending", "firing", "resolved"},
    "firing": {"firing", "resolving"},
    "resolving": {"resolving", "firing", "resolved"},
    "resolved": {"resolved", "pending"},
}
FIRE_AFTER_MS = {rule.key: rule.fire_after_s * 1000 for rule in STATE_RULES}

# Of each of two GPUs: seconds, and the state it is in for so long; None: nothing was heard of it.
stretches = st.lists(
    st.tuples(st.integers(1, 2000), *[st.none() | st.sampled_from(list(State))] * 2), min_size=1, max_size=25
)
values = st.none() | st.integers(0, 200)


def body_of(event: Event) -> AlertBody:
    return msgspec.json.decode(event.body, type=AlertBody)


def statuses(event: Event) -> tuple[int, str, str]:
    return event.tick_ms, event.key, body_of(event).status


def play(alerts: Alerts, script: list[tuple[int, State | None, State | None]]) -> None:
    """Several ticks in each stretch, at its edges among them."""
    second = 0
    since: dict[int, tuple[State, int]] = {}
    for seconds, *found in script:
        for gpu, state in enumerate(found, 1):
            if state is not None and since.get(gpu, (None, 0))[0] is not state:
                since[gpu] = state, second
        for at in sorted({second, second + seconds // 3, second + seconds // 2, second + seconds - 1}):
            states: dict[int, StateBody] = {
                gpu: in_state(*since[gpu]) for gpu, state in enumerate(found, 1) if state is not None
            }
            alerts.step(at, states)
        second += seconds


@settings(deadline=None)
@given(stretches)
def test_alerts_go_through_the_four_statuses_in_order(script: list[tuple[int, State | None, State | None]]) -> None:
    alerts = Alerts()
    play(alerts, script)
    for key in {event.key for event in alerts.events}:
        statuses = ["", *(body.status for body in alerts.told(key))]
        assert all(after in ALLOWED[before] for before, after in pairwise(statuses)), statuses


@settings(deadline=None)
@given(stretches)
def test_no_alert_fires_before_its_time(script: list[tuple[int, State | None, State | None]]) -> None:
    alerts = Alerts()
    play(alerts, script)
    for event in alerts.events:
        fired_ms = body_of(event).fired_ms
        assert fired_ms is None or fired_ms - body_of(event).since_ms >= FIRE_AFTER_MS[event.key]


@settings(deadline=None)
@given(stretches, st.lists(st.integers(1, 5000), min_size=1, max_size=5))
def test_no_alert_moves_while_nothing_is_heard(
    script: list[tuple[int, State | None, State | None]], silences: list[int]
) -> None:
    alerts = Alerts()
    play(alerts, script)
    second = sum(stretch[0] for stretch in script)
    before = {key: body.status for key, body in alerts.bodies.items()}
    for silence in silences:
        second += silence
        alerts.step(second, {})
        assert {key: body.status for key, body in alerts.bodies.items()} == before


@settings(deadline=None)
@given(stretches)
def test_no_muted_alert_leaves_and_muting_changes_nothing_else(
    script: list[tuple[int, State | None, State | None]],
) -> None:
    loud = Alerts()
    quiet = Alerts(mutes=[Mute(made_ms=0, until_ms=10**12, reason="all of it", host=HOST)])
    play(loud, script)
    play(quiet, script)
    assert not [event for event in quiet.events if body_of(event).stands and body_of(event).leaves]
    assert [statuses(event) for event in quiet.events] == [statuses(event) for event in loud.events]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 90), values), max_size=40))
def test_an_alert_on_a_figure_fires_only_after_its_time_within_known_readings(
    readings: list[tuple[int, int | None]],
) -> None:
    alert, second, known_below_s = OnFigure("tok_s < 100", 60), 0, 0
    for seconds, value in readings:
        for _ in range(seconds):
            alert.step(second, value)
            if alert.newly_firing:
                assert known_below_s >= 60
            known_below_s = 0 if value is not None and value >= 100 else known_below_s + (value is not None)
            second += 1


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 90), values), max_size=40))
def test_an_unknown_figure_moves_no_alert(readings: list[tuple[int, int | None]]) -> None:
    alert, second = OnFigure("tok_s < 100", 60), 0
    for seconds, value in readings:
        for _ in range(seconds):
            before = alert.status
            alert.step(second, value)
            assert value is not None or alert.status == before
            second += 1
