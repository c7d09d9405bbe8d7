"""gpu_hour: a UTC hour of one GPU is the sum of its quarter hours."""

from __future__ import annotations

from collections.abc import Sequence

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
    host_quarter,
    price,
    version,
)
from tests.exports.strategies import price_versions, quarters
from tokwatch.exports.background import Background
from tokwatch.exports.gpu_hour import GpuPeriod, gpu_hours
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.electricity import Flat, Period, TimeOfUse
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.store.quarter_rows import GpuQuarter, HostQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

MINUTE_MS = 60_000
PARKED = {State.PARKED: QUARTER_MS}
OWN = Own(server_usd=320_000, gpus_per_server=8, years=4, opex_rate=0.05)
QUARTER_KWH = 0.15  # 600 W over a quarter hour
NIGHT = TimeOfUse("UTC", (Period(0.05, (5,), 12 * 60 + 15, 24 * 60),), otherwise=0.40)  # the 21st is a Saturday


def hours(rows: Sequence[GpuQuarter], background: Background, hosts: Sequence[HostQuarter] = ()) -> list[GpuPeriod]:
    return gpu_hours(Quarters(list(rows), [], list(hosts)), background)


def test_a_whole_hour_costs_one_hours_price() -> None:
    [hour] = hours([gpu_quarter(number) for number in range(4)], background(price(2.35)))
    assert (hour.period_start, hour.period_end) == ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z")
    assert (hour.node, hour.gpu_index, hour.gpu_uuid, hour.gpu_model) == ("dgx-03", 0, "GPU-a", "NVIDIA H100 80GB HBM3")
    assert (hour.observed_s, hour.coverage, hour.s_serving) == (3600, 1, 3600)
    assert (hour.energy_board_j, hour.power_avg_w, hour.power_max_w) == (2_160_000, 600, 650)
    assert (hour.util_avg, hour.mem_used_avg_bytes, hour.temp_max_c) == (0.8, 71_000 << 20, 61)
    assert (hour.rate_usd_per_gpu_h, hour.cost_total_usd, hour.cost_idle_usd) == pytest.approx((2.35, 2.35, 0))
    assert (hour.currency, hour.price_version, hour.cost_basis, hour.unpriced_s) == ("USD", "1", "rent", 0)


def test_two_gpus_are_two_rows_and_idle_is_parked_held_and_unallocated() -> None:
    idle = {State.PARKED: 5 * MINUTE_MS, State.HELD: 4 * MINUTE_MS, State.UNALLOCATED: 3 * MINUTE_MS}
    rows = [gpu_quarter(0), gpu_quarter(0, GPU_1, states={**idle, State.LOST: MINUTE_MS, State.UNKNOWN: MINUTE_MS})]
    first, second = hours(rows, background(price(2.35)))
    assert (first.gpu_index, first.cost_total_usd) == pytest.approx((0, 2.35 / 4))
    assert second.gpu_index == 1
    assert (second.s_parked, second.s_held, second.s_unallocated) == (300, 240, 180)
    assert (second.s_lost, second.s_unknown, second.observed_s) == (60, 60, 840)
    assert second.cost_total_usd == pytest.approx(2.35 * 14 / 60)
    assert second.cost_idle_usd == pytest.approx(2.35 * 12 / 60)


def test_hours_are_cut_in_utc() -> None:
    first, second = hours([gpu_quarter(3), gpu_quarter(4)], background())
    assert (first.period_start, second.period_start) == ("2026-11-21T12:00:00Z", "2026-11-21T13:00:00Z")
    assert first.coverage == second.coverage == 0.25


def test_without_a_price_the_cost_is_unknown_and_not_zero() -> None:
    [hour] = hours([gpu_quarter()], background())
    assert (hour.cost_total_usd, hour.cost_idle_usd, hour.rate_usd_per_gpu_h) == (None, None, None)
    assert (hour.currency, hour.price_version, hour.unpriced_s) == (None, None, 900)


def test_what_was_not_measured_is_unknown() -> None:
    [hour] = hours([gpu_quarter(energy_mj=None)], background(price(2.35)))
    assert (hour.energy_board_j, hour.power_avg_w) == (None, None)
    assert hour.cost_total_usd == pytest.approx(2.35 / 4)


def test_a_price_that_changes_within_a_quarter_splits_it_by_the_states_on_both_sides() -> None:
    edge_ms = NOON_MS + 5 * MINUTE_MS
    log = StateLog((NOON_MS, edge_ms, State.SERVING), (edge_ms, NOON_MS + QUARTER_MS, State.PARKED))
    row = gpu_quarter(states={State.SERVING: 5 * MINUTE_MS, State.PARKED: 10 * MINUTE_MS})
    book = (price(1.20), price(6.00, edge_ms, id=2))
    [hour] = hours([row], background(*book, states=log))
    assert hour.cost_total_usd == pytest.approx(1.20 * 5 / 60 + 6.00 * 10 / 60)
    assert hour.cost_idle_usd == pytest.approx(6.00 * 10 / 60)
    assert hour.rate_usd_per_gpu_h == pytest.approx((1.20 * 5 + 6.00 * 10) / 15)
    assert hour.price_version == "1+2"


def test_a_price_that_changes_between_quarters_needs_no_raw_rows() -> None:
    book = (price(1.20), price(6.00, NOON_MS + QUARTER_MS, id=2))
    [hour] = hours([gpu_quarter(0), gpu_quarter(1, states=PARKED)], background(*book))
    assert (hour.cost_total_usd, hour.cost_idle_usd) == pytest.approx((1.80, 1.50))


def test_time_before_the_first_price_is_told_beside_the_cost_of_the_rest() -> None:
    [hour] = hours([gpu_quarter(0), gpu_quarter(1)], background(price(2.40, NOON_MS + QUARTER_MS)))
    assert (hour.cost_total_usd, hour.unpriced_s, hour.observed_s) == pytest.approx((0.60, 900, 1800))
    assert hour.rate_usd_per_gpu_h == 2.40


def test_amounts_in_two_currencies_are_never_added() -> None:
    book = (price(2.0), price(1.8, NOON_MS + QUARTER_MS, id=2, currency="EUR"))
    [hour] = hours([gpu_quarter(0), gpu_quarter(1)], background(*book))
    assert (hour.currency, hour.cost_total_usd, hour.unpriced_s) == pytest.approx(("EUR", 0.45, 900))


def test_time_that_nobody_watched_has_energy_but_no_cost() -> None:
    [hour] = hours([gpu_quarter(states={}, gap_ms=QUARTER_MS)], background(price(2.35)))
    assert (hour.observed_s, hour.coverage, hour.energy_board_j) == (0, 0, 540_000)
    assert hour.cost_total_usd is None


def test_a_first_reading_alone_makes_no_row() -> None:
    assert hours([gpu_quarter(states={}, energy_mj=None)], background(price(2.35))) == []


def test_a_simulated_run_says_so() -> None:
    assert [row.simulated for row in hours([gpu_quarter()], background(simulated=1))] == [True]
    assert [row.simulated for row in hours([gpu_quarter()], background(simulated=2))] == [False]


def test_a_stored_name_is_cleaned() -> None:
    facts = (gpu_facts(GPU_0, 0, "GPU-\x1b]0;evil\x07", name="H100\n=1+1"), *FACTS[1:])
    [hour] = hours([gpu_quarter()], background(facts=facts))
    assert (hour.gpu_uuid, hour.gpu_model) == ("GPU-\ufffd]0;evil\ufffd", "H100\ufffd=1+1")


# --- parts of the cost ------------------------------------------------------------------------------------------------


def test_an_owned_gpu_costs_capital_upkeep_and_what_it_draws_at_the_buildings_meter() -> None:
    book = version(OWN, electricity=Flat(0.085), facility=Facility(pue=1.3, host="per gpu", host_w_per_gpu=200))
    [hour] = hours([gpu_quarter(number) for number in range(4)], background(book))
    assert (hour.cost_capex_usd, hour.cost_opex_usd) == pytest.approx((1.14155, 0.22831), abs=5e-6)
    assert (hour.cost_rent_usd, hour.cost_space_usd, hour.cost_basis) == (0, 0, "own")
    assert hour.energy_facility_kwh == pytest.approx((0.600 + 0.200) * 1.3)
    assert (hour.energy_basis, hour.host_share) == ("facility", "per gpu")
    assert hour.cost_energy_usd == pytest.approx(0.800 * 1.3 * 0.085)
    assert hour.rate_usd_per_gpu_h == pytest.approx(1.14155 + 0.22831, abs=1e-5)
    assert hour.cost_total_usd == pytest.approx(1.14155 + 0.22831 + 0.0884, abs=1e-5)
    assert (hour.tariff_usd_per_kwh_avg, hour.unpriced_kwh, hour.unmetered_s) == (0.085, 0, 0)


def test_a_tariff_prices_each_quarter_hour_by_its_own_price() -> None:
    book = version(Rent(2.0, power_included=False), electricity=NIGHT)
    [hour] = hours([gpu_quarter(number) for number in range(4)], background(book))
    assert hour.cost_energy_usd == pytest.approx(QUARTER_KWH * (0.40 + 3 * 0.05))
    assert hour.tariff_usd_per_kwh_avg == pytest.approx((0.40 + 3 * 0.05) / 4)
    assert hour.cost_total_usd == pytest.approx(2.0 + QUARTER_KWH * 0.55)


def test_power_that_is_in_the_rent_costs_nothing_more() -> None:
    [hour] = hours([gpu_quarter()], background(version(Rent(2.0), electricity=Flat(0.3))))
    assert (hour.cost_energy_usd, hour.cost_total_usd, hour.tariff_usd_per_kwh_avg) == (0, 0.5, None)
    assert (hour.energy_facility_kwh, hour.energy_basis) == (QUARTER_KWH, "board")


def test_electricity_without_a_price_is_told_beside_a_cost_that_lacks_it() -> None:
    [hour] = hours([gpu_quarter()], background(version(Rent(2.0, power_included=False))))
    assert (hour.cost_energy_usd, hour.cost_total_usd, hour.unpriced_kwh) == (None, 0.5, QUARTER_KWH)


def test_electricity_that_nobody_measured_is_told() -> None:
    book = version(Rent(2.0, power_included=False), electricity=Flat(0.3))
    [hour] = hours([gpu_quarter(0), gpu_quarter(1, energy_mj=None)], background(book))
    assert (hour.cost_energy_usd, hour.unmetered_s) == pytest.approx((QUARTER_KWH * 0.3, 900))


def test_idle_energy_is_what_idle_entries_drew_and_in_older_rows_goes_by_time() -> None:
    states = {State.SERVING: 5 * MINUTE_MS, State.PARKED: 10 * MINUTE_MS}
    book = background(version(Rent(1.2, power_included=False), electricity=Flat(0.5)))
    [told] = hours([gpu_quarter(states=states, idle_energy_mj=54_000_000)], book)
    [by_time] = hours([gpu_quarter(states=states)], book)
    assert told.cost_idle_usd == pytest.approx(0.2 + QUARTER_KWH / 10 * 0.5)
    assert by_time.cost_idle_usd == pytest.approx(0.2 + QUARTER_KWH * 2 / 3 * 0.5)


def test_the_hosts_share_is_what_the_box_drew_besides_its_boards_by_the_time_each_gpu_was_there() -> None:
    measured = background(version(None, facility=Facility(host="measured")))
    rows = [gpu_quarter(0), gpu_quarter(0, GPU_1, states={State.SERVING: QUARTER_MS // 2}, energy_mj=270_000_000)]
    one, other = hours(rows, measured, [host_quarter(energy_mj=1_170_000_000)])
    assert (one.energy_basis, one.host_share) == ("board + host", "box")
    assert one.energy_facility_kwh == pytest.approx((540 + 240) / 3600)
    assert other.energy_facility_kwh == pytest.approx((270 + 120) / 3600)


def test_without_sensors_of_the_box_its_processors_stand_for_it() -> None:
    measured = background(version(None, facility=Facility(pue=1.2, host="measured")))
    hosts = [host_quarter(package_energy_mj=180_000_000)]
    one, other = hours([gpu_quarter(0), gpu_quarter(0, GPU_1)], measured, hosts)
    assert (one.energy_basis, one.host_share) == ("facility", "packages")
    assert one.energy_facility_kwh == other.energy_facility_kwh == pytest.approx((540 + 90) * 1.2 / 3600)


def test_a_box_that_was_measured_for_a_part_of_the_time_speaks_for_that_part() -> None:
    measured = background(version(None, facility=Facility(host="measured")))
    [hour] = hours([gpu_quarter()], measured, [host_quarter(energy_mj=250_000_000, known_ms=QUARTER_MS // 3)])
    assert hour.energy_basis == "board + host, host in part"
    assert hour.energy_facility_kwh == pytest.approx(610 / 3600)
    [hour] = hours([gpu_quarter()], measured)
    assert (hour.energy_basis, hour.host_share, hour.energy_facility_kwh) == ("board", None, QUARTER_KWH)


def test_carbon_goes_with_the_factors_label_and_year() -> None:
    carbon = Carbon(125, "market-based", 2025)
    [hour] = hours([gpu_quarter()], background(version(None, facility=Facility(pue=1.2, carbon=carbon))))
    assert hour.gco2e == pytest.approx(QUARTER_KWH * 1.2 * 125)
    assert hour.carbon == "market-based 2025"


def test_a_restated_price_says_so() -> None:
    restated = version(Rent(1.0), NOON_MS, 2, until_ms=NOON_MS + QUARTER_MS)
    [hour] = hours([gpu_quarter(0), gpu_quarter(1)], background(version(Rent(2.0)), restated))
    assert (hour.cost_total_usd, hour.price_version, hour.restated) == (0.75, "1+2", True)


# --- identities -------------------------------------------------------------------------------------------------------


STATE_COLUMNS = [name for name in GpuPeriod.__struct_fields__ if name.startswith("s_")]


def test_every_state_has_a_column() -> None:
    assert len(STATE_COLUMNS) == len(State)


@given(quarters, price_versions())
@settings(max_examples=60, deadline=None)
def test_states_add_up_to_the_observed_time_and_parts_to_the_cost(
    generated: Quarters, book: tuple[PriceVersion, ...]
) -> None:
    for hour in gpu_hours(generated, background(*book)):
        assert sum(getattr(hour, name) for name in STATE_COLUMNS) == pytest.approx(hour.observed_s)
        fixed = [hour.cost_rent_usd, hour.cost_capex_usd, hour.cost_opex_usd, hour.cost_space_usd]
        assert (None in fixed) == (hour.cost_total_usd is None)
        parts = sum(part or 0 for part in (*fixed, hour.cost_energy_usd))
        assert parts == pytest.approx(hour.cost_total_usd or 0)
        assert (hour.cost_idle_usd or 0) <= parts * (1 + 1e-9)


@given(quarters)
@settings(max_examples=20, deadline=None)
def test_rent_is_the_rate_times_the_observed_hours(generated: Quarters) -> None:
    for hour in gpu_hours(generated, background(price(2.35))):
        if hour.observed_s:
            assert hour.cost_total_usd == pytest.approx(2.35 * hour.observed_s / 3600)
