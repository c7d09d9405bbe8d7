"""gpu_hour: a UTC hour of one GPU is the sum of its quarter hours."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from tests.exports.box import (
    FACTS,
    GPU_0,
    GPU_1,
    NOON_MS,
    StateLog,
    background,
    gpu_facts,
    gpu_quarter,
    price,
    quarters,
)
from tokwatch.exports.gpu_hour import gpu_hours
from tokwatch.ledger.entries import State
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

MINUTE_MS = 60_000
PARKED = {State.PARKED: QUARTER_MS}


def test_a_whole_hour_costs_one_hours_price() -> None:
    [hour] = gpu_hours([gpu_quarter(number) for number in range(4)], background(price(2.35)))
    assert (hour.hour_start, hour.hour_end) == ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z")
    assert (hour.node, hour.gpu_index, hour.gpu_uuid, hour.gpu_model) == ("dgx-03", 0, "GPU-a", "NVIDIA H100 80GB HBM3")
    assert (hour.observed_s, hour.coverage, hour.s_serving) == (3600, 1, 3600)
    assert (hour.energy_board_j, hour.power_avg_w, hour.power_max_w) == (2_160_000, 600, 650)
    assert (hour.util_avg, hour.mem_used_avg_bytes, hour.temp_max_c) == (0.8, 71_000 << 20, 61)
    assert (hour.rate_usd_per_gpu_h, hour.cost_total_usd, hour.cost_idle_usd) == pytest.approx((2.35, 2.35, 0))
    assert (hour.currency, hour.price_version, hour.cost_basis, hour.unpriced_s) == ("USD", "1", "rent", 0)


def test_two_gpus_are_two_rows_and_idle_is_parked_held_and_unallocated() -> None:
    idle = {State.PARKED: 5 * MINUTE_MS, State.HELD: 4 * MINUTE_MS, State.UNALLOCATED: 3 * MINUTE_MS}
    rows = [gpu_quarter(0), gpu_quarter(0, GPU_1, states={**idle, State.LOST: MINUTE_MS, State.UNKNOWN: MINUTE_MS})]
    first, second = gpu_hours(rows, background(price(2.35)))
    assert (first.gpu_index, first.cost_total_usd) == pytest.approx((0, 2.35 / 4))
    assert second.gpu_index == 1
    assert (second.s_parked, second.s_held, second.s_unallocated) == (300, 240, 180)
    assert (second.s_lost, second.s_unknown, second.observed_s) == (60, 60, 840)
    assert second.cost_total_usd == pytest.approx(2.35 * 14 / 60)
    assert second.cost_idle_usd == pytest.approx(2.35 * 12 / 60)


def test_hours_are_cut_in_utc() -> None:
    first, second = gpu_hours([gpu_quarter(3), gpu_quarter(4)], background())
    assert (first.hour_start, second.hour_start) == ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z")
    assert first.coverage == second.coverage == 0.25


def test_without_a_price_the_cost_is_unknown_and_not_zero() -> None:
    [hour] = gpu_hours([gpu_quarter()], background())
    assert (hour.cost_total_usd, hour.cost_idle_usd, hour.rate_usd_per_gpu_h) == (None, None, None)
    assert (hour.currency, hour.price_version, hour.unpriced_s) == (None, None, 900)


def test_what_was_not_measured_is_unknown() -> None:
    [hour] = gpu_hours([gpu_quarter(energy_mj=None)], background(price(2.35)))
    assert (hour.energy_board_j, hour.power_avg_w) == (None, None)
    assert hour.cost_total_usd == pytest.approx(2.35 / 4)


def test_a_price_that_changes_within_a_quarter_splits_it_by_the_states_on_both_sides() -> None:
    edge_ms = NOON_MS + 5 * MINUTE_MS
    log = StateLog((NOON_MS, edge_ms, State.SERVING), (edge_ms, NOON_MS + QUARTER_MS, State.PARKED))
    row = gpu_quarter(states={State.SERVING: 5 * MINUTE_MS, State.PARKED: 10 * MINUTE_MS})
    book = (price(1.20), price(6.00, edge_ms, id=2))
    [hour] = gpu_hours([row], background(*book, states=log))
    assert hour.cost_total_usd == pytest.approx(1.20 * 5 / 60 + 6.00 * 10 / 60)
    assert hour.cost_idle_usd == pytest.approx(6.00 * 10 / 60)
    assert hour.rate_usd_per_gpu_h == pytest.approx((1.20 * 5 + 6.00 * 10) / 15)
    assert hour.price_version == "1+2"


def test_a_price_that_changes_between_quarters_needs_no_raw_rows() -> None:
    book = (price(1.20), price(6.00, NOON_MS + QUARTER_MS, id=2))
    [hour] = gpu_hours([gpu_quarter(0), gpu_quarter(1, states=PARKED)], background(*book))
    assert (hour.cost_total_usd, hour.cost_idle_usd) == pytest.approx((1.80, 1.50))


def test_time_before_the_first_price_is_told_beside_the_cost_of_the_rest() -> None:
    [hour] = gpu_hours([gpu_quarter(0), gpu_quarter(1)], background(price(2.40, NOON_MS + QUARTER_MS)))
    assert (hour.cost_total_usd, hour.unpriced_s, hour.observed_s) == pytest.approx((0.60, 900, 1800))
    assert hour.rate_usd_per_gpu_h == 2.40


def test_amounts_in_two_currencies_are_never_added() -> None:
    book = (price(2.0), price(1.8, NOON_MS + QUARTER_MS, id=2, currency="EUR"))
    [hour] = gpu_hours([gpu_quarter(0), gpu_quarter(1)], background(*book))
    assert (hour.currency, hour.cost_total_usd, hour.unpriced_s) == pytest.approx(("EUR", 0.45, 900))


def test_time_that_nobody_watched_has_energy_but_no_cost() -> None:
    [hour] = gpu_hours([gpu_quarter(states={}, gap_ms=QUARTER_MS)], background(price(2.35)))
    assert (hour.observed_s, hour.coverage, hour.energy_board_j) == (0, 0, 540_000)
    assert hour.cost_total_usd is None


def test_a_first_reading_alone_makes_no_row() -> None:
    assert gpu_hours([gpu_quarter(states={}, energy_mj=None)], background(price(2.35))) == []


def test_a_simulated_run_says_so() -> None:
    assert [row.simulated for row in gpu_hours([gpu_quarter()], background(simulated=1))] == [True]
    assert [row.simulated for row in gpu_hours([gpu_quarter()], background(simulated=2))] == [False]


def test_a_stored_name_is_cleaned() -> None:
    facts = (gpu_facts(GPU_0, 0, "GPU-\x1b]0;evil\x07", name="H100\n=1+1"), *FACTS[1:])
    [hour] = gpu_hours([gpu_quarter()], background(facts=facts))
    assert (hour.gpu_uuid, hour.gpu_model) == ("GPU-\ufffd]0;evil\ufffd", "H100\ufffd=1+1")


@given(quarters)
@settings(max_examples=40, deadline=None)
def test_seconds_in_states_add_up_to_the_observed_time(generated: Quarters) -> None:
    for hour in gpu_hours(generated.gpus, background(price(2.35))):
        states = (hour.s_serving, hour.s_parked, hour.s_held, hour.s_unallocated, hour.s_loading)
        others = (hour.s_stalled, hour.s_lost, hour.s_blind, hour.s_other, hour.s_unknown)
        assert sum(states) + sum(others) == pytest.approx(hour.observed_s)
        if hour.observed_s:
            assert hour.cost_total_usd == pytest.approx(2.35 * hour.observed_s / 3600)
