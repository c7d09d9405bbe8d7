"""The bell: once for an alert that begins to fire now."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.dashboard.snapshots import ALERTS, BOX
from tokwatch.dashboard.bell import Bell
from tokwatch.ledger.snapshot import Snapshot

CRITICAL, WARNING = ALERTS[2], ALERTS[0]
QUIET = replace(BOX, mode="live", kind="recorded", alerts=())


def firing(**changes: Any) -> Snapshot:
    return replace(QUIET, alerts=(replace(CRITICAL, **changes),))


def rung(*snapshots: Snapshot, bell: Bell | None = None) -> list[bool]:
    bell = bell or Bell("critical")
    return [bell.rings(snapshot) for snapshot in snapshots]


def test_it_rings_once_for_an_alert_that_begins_to_fire() -> None:
    resolving = firing(status="resolving")
    assert rung(QUIET, firing(), firing(), resolving, firing(), QUIET) == [False, True, False, False, False, False]
    assert rung(QUIET, firing(), QUIET, firing(fired_ms=1)) == [False, True, False, True]


def test_what_fires_already_when_the_dashboard_opens_is_no_news() -> None:
    assert rung(firing(), firing()) == [False, False]


@pytest.mark.parametrize("changes", [{"muted": True}, {"inhibited_by": "lost"}, {"status": "resolving"}])
def test_what_nobody_is_to_be_told_of_does_not_ring(changes: dict[str, Any]) -> None:
    assert rung(QUIET, firing(**changes)) == [False, False]


def test_it_rings_from_its_severity_on() -> None:
    warning = replace(QUIET, alerts=(WARNING,))
    assert rung(QUIET, warning) == [False, False]
    assert rung(QUIET, warning, bell=Bell("warning")) == [False, True]
    assert rung(QUIET, firing(), bell=Bell("never")) == [False, False]


@pytest.mark.parametrize(
    "changes", [{"mode": "replay"}, {"mode": "paused"}, {"kind": "simulated"}, {"kind": "imported"}]
)
def test_only_what_a_recorder_sees_now_rings(changes: dict[str, Any]) -> None:
    assert rung(QUIET, replace(firing(), **changes)) == [False, False]
