"""Alerts on figures: a condition that must hold for its time, and readings that are not there."""

from __future__ import annotations

from tests.ledger.alerts.stepping import Alerts, OnFigure
from tokwatch.ledger.alerts import AlertPolicy, Watched
from tokwatch.ledger.alerts.conditions import parse_condition
from tokwatch.ledger.alerts.rules import FigureRule


def test_it_fires_when_the_condition_has_held_for_its_time() -> None:
    alert = OnFigure("tok_s < 100", 60)
    for second in (0, 30, 59):
        alert.step(second, 50)
        assert alert.status == "pending"
    alert.step(60, 50)
    assert (alert.status, alert.body.since_ms, alert.body.fired_ms) == ("firing", 0, 60_000)
    assert (alert.body.severity, alert.body.of, alert.body.gpus) == ("warning", "figure", ())


def test_one_reading_within_the_limit_begins_anew() -> None:
    alert = OnFigure("tok_s < 100", 60)
    for second, value in ((0, 50), (59, 150), (60, 50), (119, 50)):
        alert.step(second, value)
    assert alert.status == "pending"
    alert.step(120, 50)
    assert alert.status == "firing"


def test_before_the_first_snapshot_nothing_is_known() -> None:
    rule = FigureRule("slow", parse_condition("tok_s < 100"), 0, "info")
    alerts = Alerts(AlertPolicy(states=(), figures=(rule,)))
    alerts.step(0, {}, Watched(figures=None))
    assert alerts.bodies == {}


def test_an_unknown_figure_leaves_the_alert_as_it_is_and_marks_it() -> None:
    alert = OnFigure("tok_s < 100", 60)
    for second in (0, 60):
        alert.step(second, 50)
    for second in (61, 10_000):
        alert.step(second, None)
        assert (alert.status, alert.body.stale_since_ms) == ("firing", 61_000)
    alert.step(10_001, 150)
    assert (alert.status, alert.body.stale_since_ms) == ("resolving", None)


def test_time_in_which_the_figure_is_unknown_does_not_count() -> None:
    alert = OnFigure("tok_s < 100", 60)
    alert.step(0, 50)
    alert.step(30, None)
    alert.step(1030, 50)
    assert (alert.status, alert.body.since_ms) == ("pending", 1_000_000)
    alert.step(1060, 50)
    assert alert.status == "firing"


def test_it_is_told_what_the_figure_was_when_it_fired_and_no_event_for_every_reading() -> None:
    alert = OnFigure("tok_s < 100", 60)
    for second in range(120):
        alert.step(second, second % 60)
    assert [(body.status, body.text) for body in alert.told] == [
        ("pending", "tok_s < 100: it is 0"),
        ("firing", "tok_s < 100: it is 0"),
    ]
