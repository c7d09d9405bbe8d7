"""The monthly budget: local months, the pace so far, and what it comes to."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.alerts.stepping import Alerts
from tokwatch.ledger.alerts import AlertPolicy, Watched
from tokwatch.ledger.alerts.budget import Spending, burn, month_span_ms

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def ms(*when: int, zone: ZoneInfo | None = None) -> int:
    return int(datetime(*when, tzinfo=zone or UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


NOVEMBER = ms(2026, 11, 1)


def test_a_month_is_the_hosts_local_one_and_daylight_saving_is_in_it() -> None:
    first, after = month_span_ms(ms(2026, 10, 31, 23, 30), BERLIN)  # 0:30 of the next month in Berlin
    assert (first, after) == (ms(2026, 11, 1, zone=BERLIN), ms(2026, 12, 1, zone=BERLIN))
    first, after = month_span_ms(ms(2026, 10, 15), BERLIN)
    assert after - first == 31 * DAY_MS + HOUR_MS
    assert month_span_ms(ms(2026, 12, 31), BERLIN)[1] == ms(2027, 1, 1, zone=BERLIN)


def test_the_pace_so_far_goes_on_to_the_months_end() -> None:
    found = burn(1000, Spending(100, NOVEMBER, NOVEMBER + 3 * DAY_MS), NOVEMBER + 3 * DAY_MS, UTC)
    assert found is not None
    assert found.spent_usd == 100
    assert found.projected_usd == pytest.approx(1000)
    assert found.usd_per_hour == pytest.approx(100 / 72)
    assert found.rate == pytest.approx(1)


def test_what_was_not_watched_before_the_first_tick_is_not_projected() -> None:
    begun = NOVEMBER + 15 * DAY_MS
    found = burn(1000, Spending(24, begun, begun + DAY_MS), begun + DAY_MS, UTC)
    assert found is not None
    assert found.projected_usd == pytest.approx(24 * 15)


@pytest.mark.parametrize(
    "spending",
    [
        Spending(1, NOVEMBER, NOVEMBER + HOUR_MS - 1),  # too short to say
        Spending(1, NOVEMBER - DAY_MS, NOVEMBER - HOUR_MS),  # the month before
    ],
)
def test_what_says_nothing_about_this_month_is_unknown(spending: Spending) -> None:
    assert burn(1000, spending, NOVEMBER + DAY_MS, UTC) is None


@given(st.floats(0, 1e6), st.integers(HOUR_MS, 30 * DAY_MS - 1))
def test_a_projection_is_never_below_what_is_spent(usd: float, watched_ms: int) -> None:
    found = burn(500, Spending(usd, NOVEMBER, NOVEMBER + watched_ms), NOVEMBER + watched_ms, UTC)
    assert found is not None
    assert found.projected_usd >= found.spent_usd


class Budget:
    def __init__(self, usd_per_month: float) -> None:
        self.alerts = Alerts(AlertPolicy(states=(), usd_per_month=usd_per_month))

    def at(self, day: float, usd: float | None) -> tuple[str, str]:
        """(status, severity) once so much is spent; two ticks, so that what is due has fired."""
        now_ms = NOVEMBER + round(day * DAY_MS)
        for at_ms in (now_ms, now_ms + 1000):
            spending = None if usd is None else Spending(usd, NOVEMBER, at_ms)
            self.alerts.step(at_ms / 1000, {}, Watched(spending=spending))
        body = self.alerts.bodies.get("budget")
        return (body.status, body.severity) if body else ("", "")


def test_it_fires_when_the_projection_is_over_and_is_critical_when_the_money_is_spent() -> None:
    budget = Budget(900)
    assert budget.at(3, 90) == ("", "")
    assert budget.at(4, 200) == ("firing", "warning")
    assert budget.at(20, 900) == ("firing", "critical")
    assert [(body.status, body.text) for body in budget.alerts.told("budget")] == [
        ("pending", "200 of 900 spent, 1500 by the month's end"),
        ("firing", "200 of 900 spent, 1500 by the month's end"),
        ("firing", "900 of 900 spent, 1350 by the month's end"),
    ]


def test_a_new_month_ends_it() -> None:
    budget = Budget(900)
    budget.at(20, 900)
    for day, status in ((30 + 1 / 24, "firing"), (31, "resolving"), (32, "resolved")):
        now_ms = NOVEMBER + round(day * DAY_MS)
        december = ms(2026, 12, 1)
        spending = Spending(1.0 * (now_ms - december) / HOUR_MS, december, now_ms)
        budget.alerts.step(now_ms / 1000, {}, Watched(spending=spending if day > 30.5 else None))
        assert budget.alerts.bodies["budget"].status == status


def test_unknown_spending_is_not_within_the_budget() -> None:
    budget = Budget(900)
    budget.at(4, 200)
    assert budget.at(5, None) == ("firing", "warning")
    assert budget.alerts.bodies["budget"].stale_since_ms is not None
