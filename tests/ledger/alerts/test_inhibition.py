"""A fault says it all: what is not told beside it."""

from __future__ import annotations

from tests.ledger.alerts.stepping import PARKED, SERVING, Alerts, in_state
from tokwatch.ledger.alerts import AlertPolicy, Watched
from tokwatch.ledger.alerts.conditions import Bounds, FigureName, parse_condition
from tokwatch.ledger.alerts.rules import FigureRule
from tokwatch.ledger.entries import State


def test_a_lost_gpu_inhibits_the_idle_alert_that_it_leaves() -> None:
    alerts = Alerts()
    assert alerts.fired(300, PARKED).leaves
    body = alerts.at(301, in_state(State.LOST, 300))
    assert body is not None
    assert (body.status, body.inhibited_by) == ("resolving", "lost")
    assert not body.leaves


def test_a_hang_inhibits_the_idle_alert_but_not_one_on_a_throttled_gpu() -> None:
    hang = in_state(State.STALLED, 300)
    idle, slowed = Alerts(), Alerts()
    idle.fired(300, PARKED)
    slowed.fired(300, in_state(State.THROTTLED), key="throttled")
    for alerts in (idle, slowed):
        alerts.at(301, hang)
    assert idle.bodies["parked"].inhibited_by == "stalled"
    assert slowed.bodies["throttled"].inhibited_by == ""


def test_one_gpu_without_a_fault_keeps_the_alert() -> None:
    alerts = Alerts()
    alerts.fired(300, PARKED, PARKED)
    body = alerts.at(301, in_state(State.LOST, 300), PARKED)
    assert body is not None
    assert (body.status, body.gpus, body.inhibited_by) == ("firing", (2,), "")


def test_a_gpu_that_is_gone_for_a_moment_inhibits_nothing() -> None:
    alerts = Alerts()
    alerts.fired(300, PARKED)
    body = alerts.at(301, in_state(State.LOST, 300, confirmed=False))
    assert body is not None
    assert body.inhibited_by == ""


def test_a_fault_is_not_inhibited_by_itself() -> None:
    assert Alerts().fired(60, in_state(State.LOST), key="lost").inhibited_by == ""


def test_several_blind_gpus_are_one_alert() -> None:
    alerts = Alerts()
    body = alerts.fired(120, in_state(State.BLIND), in_state(State.BLIND, 1), SERVING, key="blind")
    body = alerts.fired(130, in_state(State.BLIND), in_state(State.BLIND, 1), SERVING, key="blind")
    assert body.gpus == (1, 2)
    assert {event.key for event in alerts.events} == {"blind"}


def test_a_figure_of_a_lost_gpu_is_not_told() -> None:
    figure = FigureName("power_w", "gpu", "0")
    rule = FigureRule("cold", parse_condition("power_w{gpu=0} < 50"), 0, "warning")
    alerts = Alerts(AlertPolicy(states=(), figures=(rule,)))
    for second in (1, 2):
        alerts.step(second, {1: in_state(State.LOST)}, Watched(figures={figure: (Bounds(0, 0),)}))
    assert alerts.bodies["cold"].inhibited_by == "lost"
