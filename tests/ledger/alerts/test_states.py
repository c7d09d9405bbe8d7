"""Alerts on states: pending → firing → resolving → resolved, one a state, with the GPUs that are in it."""

from __future__ import annotations

import msgspec
import pytest

from tests.ledger.alerts.stepping import PARKED, SERVING, Alerts, in_state
from tokwatch.ledger.alerts import AlertBody, AlertPolicy
from tokwatch.ledger.alerts.rules import STATE_RULES
from tokwatch.ledger.entries import State

FIRE_S = 300  # parked
WARN_S = 1800
KEEP_S = 120


def test_an_alert_goes_from_pending_to_resolved() -> None:
    alerts = Alerts()
    assert alerts.status(0, SERVING) == ""
    assert alerts.statuses([1, FIRE_S - 1, FIRE_S, FIRE_S + 1], PARKED) == ["pending", "pending", "firing", "firing"]
    cleared = FIRE_S + 10
    assert alerts.statuses([cleared, cleared + KEEP_S - 1, cleared + KEEP_S], SERVING) == [
        "resolving",
        "resolving",
        "resolved",
    ]
    body = alerts.bodies["parked"]
    assert (body.since_ms, body.fired_ms, body.cleared_ms) == (0, FIRE_S * 1000, cleared * 1000)


def test_an_event_is_written_only_when_something_changes() -> None:
    alerts = Alerts()
    for second in range(FIRE_S + 100):
        alerts.at(second, PARKED)
    assert [body.status for body in alerts.told("parked")] == ["pending", "firing"]


def test_a_condition_that_ends_before_its_time_never_fired() -> None:
    alerts = Alerts()
    assert alerts.statuses([1, 2], PARKED) == ["pending", "pending"]
    body = alerts.at(3, SERVING)
    assert body is not None
    assert (body.status, body.gpus, body.fired_ms) == ("resolved", (), None)


def test_a_state_that_is_not_confirmed_does_not_fire() -> None:
    """The config may want a longer dwell than the rule."""
    unconfirmed = in_state(State.PARKED, confirmed=False)
    assert Alerts().fired(10 * FIRE_S, unconfirmed).status == "pending"


def test_what_held_long_before_anybody_looked_is_pending_for_a_tick_all_the_same() -> None:
    assert Alerts().statuses([FIRE_S, FIRE_S + 1], PARKED) == ["pending", "firing"]


def test_the_severity_escalates_with_time() -> None:
    alerts = Alerts()
    severities = [alerts.fired(second, PARKED).severity for second in (FIRE_S, WARN_S - 1, WARN_S)]
    assert severities == ["info", "info", "warning"]


def test_gpus_join_and_leave_one_alert() -> None:
    alerts = Alerts()
    late = in_state(State.PARKED, 60)
    alerts.at(FIRE_S - 1, PARKED, late, SERVING)
    for second, states, gpus in [
        (FIRE_S, (PARKED, late, SERVING), (1,)),
        (FIRE_S + 60, (PARKED, late, SERVING), (1, 2)),
        (FIRE_S + 61, (SERVING, late, SERVING), (2,)),
        (FIRE_S + 62, (in_state(State.PARKED, FIRE_S + 61), late, SERVING), (2, 1)),
    ]:
        body = alerts.at(second, *states)
        assert body is not None
        assert (body.gpus, body.status, body.fired_ms) == (gpus, "firing", FIRE_S * 1000)
    assert alerts.bodies["parked"].members == ((1, 0), (2, 60_000))


def test_the_gpu_longest_in_the_state_comes_first_and_dates_the_alert() -> None:
    body = Alerts().at(2 * FIRE_S, in_state(State.PARKED, 60), in_state(State.PARKED, 20))
    assert body is not None
    assert (body.gpus, body.since_ms) == ((2, 1), 20_000)


def test_an_alert_keeps_its_beginning_when_the_gpu_that_began_it_leaves() -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S + 60, PARKED, in_state(State.PARKED, 60))
    body = alerts.at(FIRE_S + 61, SERVING, in_state(State.PARKED, 60))
    assert body is not None
    assert (body.gpus, body.since_ms) == ((2,), 0)


def test_a_gpu_that_returns_while_the_alert_resolves_need_not_wait_again() -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED)
    alerts.at(FIRE_S + 1, SERVING)
    body = alerts.at(FIRE_S + 20, in_state(State.PARKED, FIRE_S + 15))
    assert body is not None
    assert (body.status, body.fired_ms, body.cleared_ms) == ("firing", FIRE_S * 1000, None)


def test_another_gpu_does_not_keep_a_resolving_alert_from_ending() -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED, SERVING)
    other = in_state(State.PARKED, FIRE_S)
    assert alerts.status(FIRE_S + 1, SERVING, other) == "resolving"
    assert alerts.status(FIRE_S + 1 + KEEP_S, SERVING, other) == "resolved"
    assert alerts.status(FIRE_S + 2 + KEEP_S, SERVING, other) == "pending"


def test_flapping_does_not_multiply_alerts() -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED)
    for second in range(FIRE_S, FIRE_S + 3600, 20):
        alerts.at(second, SERVING if second // 20 % 2 else in_state(State.PARKED, second))
    assert {body.fired_ms for body in alerts.told("parked") if body.fired_ms} == {FIRE_S * 1000}
    assert alerts.bodies["parked"].status in ("firing", "resolving")


def test_after_it_resolved_the_next_one_is_new() -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED)
    alerts.at(FIRE_S + 1, SERVING)
    assert alerts.status(FIRE_S + 1 + KEEP_S, SERVING) == "resolved"
    again = in_state(State.PARKED, 1000)
    assert alerts.statuses([1001, 1000 + FIRE_S], again) == ["pending", "firing"]
    body = alerts.bodies["parked"]
    assert (body.since_ms, body.fired_ms, body.members) == (1_000_000, (1000 + FIRE_S) * 1000, ((1, 1_000_000),))


# --- missing data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.UNKNOWN, State.BLIND])
def test_a_state_that_says_nothing_leaves_the_alert_as_it_is_and_marks_it(state: State) -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED)
    for second in (FIRE_S + 1, FIRE_S + 10 * KEEP_S):
        body = alerts.at(second, in_state(state, FIRE_S))
        assert body is not None
        assert (body.status, body.stale_since_ms, body.gpus) == ("firing", (FIRE_S + 1) * 1000, (1,))
    body = alerts.at(2 * FIRE_S + 10 * KEEP_S, in_state(State.PARKED, FIRE_S + 10))
    assert body is not None
    assert (body.status, body.stale_since_ms) == ("firing", None)


def test_a_gpu_that_is_not_heard_of_any_more_neither_fires_nor_resolves() -> None:
    alerts = Alerts()
    alerts.at(1, PARKED)
    assert alerts.statuses([2, 10 * FIRE_S]) == ["pending", "pending"]
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED)
    assert alerts.statuses([FIRE_S + 1, FIRE_S + 10 * KEEP_S]) == ["firing", "firing"]


def test_one_gpu_of_several_that_says_nothing_stays_in_the_list() -> None:
    alerts = Alerts()
    alerts.fired(FIRE_S, PARKED, PARKED)
    body = alerts.at(FIRE_S + 1, PARKED, in_state(State.UNKNOWN))
    assert body is not None
    assert (body.gpus, body.stale_since_ms) == ((1, 2), (FIRE_S + 1) * 1000)


def test_whatever_else_is_seen_of_a_lost_gpu_ends_its_alert() -> None:
    alerts = Alerts()
    assert alerts.fired(15, in_state(State.LOST), key="lost").status == "firing"
    assert alerts.status(16, in_state(State.UNKNOWN), key="lost") == "resolving"


def test_an_alert_of_an_earlier_run_goes_on() -> None:
    before = Alerts()
    body = before.fired(FIRE_S, PARKED)
    after = Alerts(resumed={"parked": body})
    after.at(FIRE_S + 1, PARKED)
    assert after.events == []  # nothing changed: nothing is written
    assert after.status(FIRE_S + 2) == "firing"  # no GPU was read yet
    assert after.status(FIRE_S + 3, PARKED) == "firing"
    assert after.bodies["parked"].fired_ms == FIRE_S * 1000


def test_an_alert_whose_rule_was_taken_out_of_the_config_ends() -> None:
    body = Alerts().fired(FIRE_S, PARKED)
    after = Alerts(AlertPolicy(states=()), resumed={"parked": body})
    assert after.statuses([FIRE_S + 1, FIRE_S + 1 + KEEP_S], PARKED) == ["resolving", "resolved"]


def test_bodies_of_stores_of_before_can_be_read() -> None:
    old = (
        b'{"state":5,"status":"firing","severity":"info","text":"loaded, no request","gpus":[1],"since_ms":0,'
        b'"fired_ms":300000,"cleared_ms":null}'
    )
    body = msgspec.json.decode(old, type=AlertBody)
    assert Alerts(resumed={"parked": body}).fired(FIRE_S + 2, PARKED).members == ((1, 0),)


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "fires_s", "severity"),
    [
        (State.LOST, 15, "critical"),
        (State.STALLED, 30, "critical"),
        (State.BLIND, 120, "warning"),
        (State.LOADING, 900, "warning"),
        (State.THROTTLED, 60, "warning"),
        (State.SATURATED, 30, "warning"),
        (State.BACKLOG, 30, "info"),
        (State.MISROUTED, 30, "warning"),
        (State.PARKED, 300, "info"),
        (State.HELD, 1800, "warning"),
        (State.UNALLOCATED, 900, "info"),
        (State.UNDERBATCHED, 600, "info"),
    ],
)
def test_each_state_has_its_time_and_severity(state: State, fires_s: int, severity: str) -> None:
    alerts, key = Alerts(), state.name.lower()
    assert alerts.fired(fires_s - 0.001, in_state(state), key=key).status == "pending"
    body = alerts.at(fires_s, in_state(state), key=key)
    assert body is not None
    assert (body.status, body.severity) == ("firing", severity)


def test_work_and_what_nobody_knows_are_no_alerts() -> None:
    ruled = {rule.state for rule in STATE_RULES}
    assert set(State) - ruled == {State.UNKNOWN, State.SERVING, State.OTHER_WORK}
