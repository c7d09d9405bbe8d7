"""Alerts of a Snapshot: names and money, of GPUs that are in an alert and of those that were."""

from __future__ import annotations

import pytest

from tests.ledger.box import Box, priced, restored, serve, value, work
from tests.ledger.readings import free_gpu, gpu
from tokwatch.ledger.alert_rows import alert_rows
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.snapshot import AlertRow

USD = 2.0
BOOK = PriceBook((priced(USD),))


def idle_since_noon(seconds: int, *, free: int = 2) -> Box:
    """GPUs 0 and 1 serve, 2 and on have no process."""
    return serve(Box(), range(seconds), free=free)


def row(box: Box, *statuses: str) -> AlertRow:
    (found,) = alert_rows(Moment(box.view(BOOK)), statuses or ("firing",))
    return found


def test_an_idle_alert_costs_price_times_time() -> None:
    alert = row(idle_since_noon(1000))
    assert (alert.state, alert.gpus, alert.severity) == ("unallocated", (2, 3), "info")
    assert value(alert.usd_per_hour) == 2 * USD
    assert value(alert.usd_per_day) == 48 * USD
    seconds = (1000 - 1) - (alert.since_ms % 86_400_000 - 43_200_000) / 1000
    assert value(alert.usd_so_far) == pytest.approx(2 * USD * seconds / 3600, rel=1e-9)


def test_a_gpu_that_left_is_in_what_was_spent_and_not_in_what_is_being_spent() -> None:
    box = idle_since_noon(1000)
    before = value(row(box).usd_so_far)
    for second in range(1000, 1100):
        box.turn(second, [gpu(second), gpu(second, 1), free_gpu(second, 2), gpu(second, 3)], [work(second)])
    alert = row(box)
    assert alert.gpus == (2,)
    assert value(alert.usd_per_hour) == USD
    assert value(alert.usd_so_far) == pytest.approx(before + USD * 100 / 3600, rel=0.01)


def test_what_a_resolved_alert_cost_stays_known() -> None:
    box = idle_since_noon(1000, free=1)
    spent = value(row(box).usd_so_far)
    for second in range(1000, 1200):
        box.turn(second, [gpu(second), gpu(second, 1), gpu(second, 2)], [work(second)])
    alert = row(box, "resolved")
    assert alert.cleared_ms is not None
    assert value(alert.usd_so_far) == pytest.approx(spent, rel=0.01)
    assert alert.usd_per_hour.value is None


def test_a_seek_gives_the_same_rows() -> None:
    box = idle_since_noon(1000)
    for second in range(1000, 1300):
        third = gpu(second, 3) if second // 50 % 2 else free_gpu(second, 3)
        box.turn(second, [gpu(second), gpu(second, 1), free_gpu(second, 2), third], [work(second)])
    sought = restored(box.records, box.run, BOOK)
    assert alert_rows(Moment(sought)) == alert_rows(Moment(box.view(BOOK))) != ()


def test_without_a_price_the_dollars_are_unknown() -> None:
    (alert,) = alert_rows(Moment(idle_since_noon(1000).view()))
    assert (alert.usd_per_hour.value, alert.usd_so_far.value) == (None, None)
    assert alert.usd_so_far.why == "no price set"
