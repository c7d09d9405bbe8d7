"""What all alerts that fire waste together."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.scenes.alerts import DEAR, EVERYTHING, FREE, LOST, MUTED, RESOLVING, SATURATED
from tests.ledger.box import value
from tokwatch.ledger.alert_rows import AT_WORK
from tokwatch.ledger.alert_sums import alert_sums
from tokwatch.ledger.figure import Figure


def test_muted_ones_count_and_those_that_ended_do_not() -> None:
    sums = alert_sums(EVERYTHING.alerts)
    assert sums.firing == 4
    assert value(sums.usd_per_hour) == 2.35 + 2.29 + 2.30
    assert alert_sums((FREE, MUTED, RESOLVING)) == alert_sums((FREE, MUTED))


def test_alerts_about_gpus_at_work_waste_nothing_and_leave_the_sum_whole() -> None:
    assert alert_sums((FREE, SATURATED, DEAR)).usd_so_far == FREE.usd_so_far
    assert alert_sums((SATURATED,)).usd_so_far.why == AT_WORK


def test_nothing_fires_and_nothing_is_said() -> None:
    assert alert_sums(()).usd_per_day.value is None


def test_a_gpu_without_a_price_marks_the_sum() -> None:
    unpriced = replace(LOST, usd_per_hour=Figure(None, "no price set"))
    assert alert_sums((FREE, unpriced)).usd_per_hour.marks == ("part",)
