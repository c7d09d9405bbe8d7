"""What a GPU cost while nobody watched it, though it was there before and after: invoices add up."""

from __future__ import annotations

import pytest

from tests.exports.box import GPU_0, NOON_MS, StateLog, background, gpu_quarter, price, version
from tests.exports.test_gpu_hour import MINUTE_MS, OWN, hours
from tokwatch.exports.gpu_hour import GpuPeriod, gpu_hours
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.model_hours import model_hours
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.store.quarters import Quarters
from tokwatch.store.seen import Seen


def seen(*stretches: tuple[int, int, int]) -> list[Seen]:
    """GPU 0, by (run, from minute, to minute)."""
    return [Seen(GPU_0, run, NOON_MS + a * MINUTE_MS, NOON_MS + b * MINUTE_MS) for run, a, b in stretches]


def outage(terms: Rent | Own, *stretches: tuple[int, int, int]) -> GpuPeriod:
    """An hour that was watched from 12:00 to 12:20 and from 12:40 on."""
    rows = [
        gpu_quarter(0),
        gpu_quarter(1, states={State.SERVING: 5 * MINUTE_MS}),
        gpu_quarter(2, states={State.SERVING: 5 * MINUTE_MS}, run=stretches[-1][0]),
        gpu_quarter(3, run=stretches[-1][0]),
    ]
    [hour] = hours(rows, background(version(terms, electricity=Flat(0.3)), seen=seen(*stretches)))
    return hour


def test_twenty_minutes_of_outage_on_reserved_rent_still_add_up_to_the_invoice() -> None:
    hour = outage(Rent(2.40), (1, 0, 20), (3, 40, 60))
    assert (hour.observed_s, hour.cost_total_usd, hour.cost_unobserved_usd) == pytest.approx((2400, 1.60, 0.80))


def test_own_gpus_cost_their_fixed_parts_unobserved() -> None:
    hour = outage(OWN, (1, 0, 20), (3, 40, 60))
    assert hour.cost_unobserved_usd == pytest.approx((1.14155 + 0.22831) / 3, abs=1e-5)


def test_elastic_rent_goes_on_through_a_gap_only_within_one_boot() -> None:
    elastic = Rent(2.40, elastic=True)
    assert outage(elastic, (1, 0, 20), (2, 40, 60)).cost_unobserved_usd == pytest.approx(0.80)
    assert outage(elastic, (1, 0, 20), (3, 40, 60)).cost_unobserved_usd is None


def test_before_the_first_reading_and_after_the_last_nothing_is_owed() -> None:
    rows = [gpu_quarter(1), gpu_quarter(2)]
    [hour] = hours(rows, background(price(2.40), seen=seen((1, 15, 45))))
    assert hour.cost_total_usd == pytest.approx(1.20)
    assert hour.cost_unobserved_usd is None


def test_whole_hours_that_nobody_watched_are_rows() -> None:
    known = background(price(2.40), seen=seen((1, 0, 15), (3, 165, 180)))
    later = [NOON_MS + number * HOUR_MS for number in range(4)]
    rows = gpu_hours(Quarters([gpu_quarter(0), gpu_quarter(11, run=3)], []), known, later)
    assert [row.cost_unobserved_usd for row in rows] == pytest.approx([1.80, 2.40, 1.80])
    assert (rows[1].observed_s, rows[1].cost_total_usd, rows[1].energy_board_j, rows[1].gpu_uuid) == (
        0,
        None,
        None,
        "GPU-a",
    )
    assert (rows[1].rate_usd_per_gpu_h, rows[1].cost_basis, rows[1].price_version) == (2.40, "rent", "1")


def test_an_unobserved_stretch_is_priced_on_both_sides_of_a_price_edge() -> None:
    edge_ms = NOON_MS + 20 * MINUTE_MS
    log = StateLog(
        (NOON_MS, NOON_MS + 15 * MINUTE_MS, State.SERVING), (NOON_MS + 30 * MINUTE_MS, NOON_MS + HOUR_MS, State.SERVING)
    )
    rows = [gpu_quarter(0), gpu_quarter(2), gpu_quarter(3)]
    [hour] = hours(rows, background(price(1.20), price(6.00, edge_ms, 2), states=log, seen=seen((1, 0, 60))))
    assert hour.cost_unobserved_usd == pytest.approx(1.20 * 5 / 60 + 6.00 * 10 / 60)


def test_what_nobody_watched_of_a_simulation_is_simulated_too() -> None:
    known = background(price(2.40), simulated=1, seen=seen((1, 0, 15), (1, 105, 120)))
    rows = Quarters([gpu_quarter(0), gpu_quarter(7)], [])
    later = [NOON_MS, NOON_MS + HOUR_MS]
    assert {row.simulated for row in gpu_hours(rows, known, later)} == {True}
    by_model = model_hours(rows, known, later)
    assert {row.simulated for row in by_model} == {True}
    assert by_model[-1].model == "(unobserved)"
    real = background(price(2.40), seen=seen((1, 0, 15), (1, 105, 120)))
    assert {row.simulated for row in model_hours(rows, real, later)} == {False}
