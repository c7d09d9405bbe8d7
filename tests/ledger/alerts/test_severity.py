"""Severity by money: what part of the host's cost the idle GPUs are."""

from __future__ import annotations

import pytest

from tests.ledger.alerts.stepping import PARKED, SERVING, Alerts, in_state
from tokwatch.ledger.alerts import AlertPolicy
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.alerts.rules import SeverityShares
from tokwatch.ledger.alerts.severity import by_cost, cost_share
from tokwatch.ledger.entries import State

SHARES = SeverityShares()


@pytest.mark.parametrize(
    ("share", "of_info", "of_warning"),
    [
        (0.0, "info", "info"),
        (0.0099, "info", "info"),
        (0.01, "info", "warning"),
        (0.0499, "info", "warning"),
        (0.05, "warning", "warning"),
        (0.1999, "warning", "warning"),
        (0.20, "critical", "critical"),
        (1.0, "critical", "critical"),
        (None, "info", "warning"),
    ],
)
def test_money_moves_the_rules_own_severity(share: float | None, of_info: str, of_warning: str) -> None:
    assert by_cost("info", share, SHARES) == of_info
    assert by_cost("warning", share, SHARES) == of_warning


def test_the_share_is_of_all_gpus_that_have_a_price() -> None:
    assert cost_share([1], {1: 2.0, 2: 6.0, 3: None}) == 0.25
    assert cost_share([1, 3], {1: 2.0, 2: 6.0, 3: None}) is None
    assert cost_share([1], {}) is None
    assert cost_share([1], {1: 0.0}) is None


def severity(state: State, second: float, usd: float | None, *, of: int = 10, policy: AlertPolicy | None = None) -> str:
    """GPU 1 is in the state, the others serve; all cost the same."""
    alerts = Alerts(policy, usd_per_hour=dict.fromkeys(range(1, of + 1), usd))
    return alerts.fired(second, in_state(state), *[SERVING] * (of - 1), key=state.name.lower()).severity


def test_an_idle_gpu_is_as_severe_as_it_is_dear() -> None:
    assert [severity(State.PARKED, 300, 2.0, of=of) for of in (1, 5, 10, 20, 50, 200)] == [
        *("critical", "critical", "warning", "warning", "info", "info"),
    ]


def test_without_a_price_time_alone_decides() -> None:
    assert [severity(State.PARKED, second, None) for second in (300, 1800)] == ["info", "warning"]


def test_between_the_shares_the_rules_own_severity_holds_and_rises_with_time() -> None:
    assert [severity(State.PARKED, second, 2.0, of=50) for second in (300, 1800)] == ["info", "warning"]
    assert severity(State.PARKED, 1800, 2.0, of=200) == "info"


def test_a_fault_is_critical_whatever_it_costs() -> None:
    assert {severity(state, 60, usd, of=200) for state in (State.LOST, State.STALLED) for usd in (None, 2.0)} == {
        "critical"
    }


def test_money_is_no_measure_of_gpus_that_work() -> None:
    assert severity(State.BACKLOG, 60, 2.0, of=1) == "info"
    assert severity(State.UNDERBATCHED, 600, 2.0, of=1) == "info"
    assert severity(State.MISROUTED, 60, 2.0, of=1) == "critical"  # idle


def test_the_shares_are_the_configs() -> None:
    policy = AlertPolicy(shares=SeverityShares(0.2, 0.5, 0.9))
    assert severity(State.PARKED, 300, 2.0, policy=policy) == "info"


def test_muted_gpus_do_not_make_the_others_more_severe() -> None:
    mute = Mute(made_ms=0, until_ms=10**9, reason="", gpu="0")
    alerts = Alerts(usd_per_hour={1: 98.0, 2: 2.0}, mutes=[mute])
    assert alerts.fired(300, PARKED, PARKED).severity == "info"
    alerts.tracker.mutes = ()
    assert alerts.fired(310, PARKED, PARKED).severity == "critical"
