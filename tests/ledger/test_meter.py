"""Readings → entries: GPUs, the host, and lengths of the boot clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.metered import HOST, Metered
from tests.ledger.readings import (
    NOON_MS,
    axis,
    boot_ns,
    flow,
    gpu,
    gpu_facts,
    host,
    lost_gpu,
    page,
)
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.entries import Flag


def test_the_first_reading_is_a_baseline_without_an_interval() -> None:
    entry = Metered().gpu(0)
    assert (entry.t1_ms - entry.t0_ms, entry.energy_mj, entry.flags) == (0, None, Flag.BASELINE)


def test_later_readings_speak_for_the_time_since_the_one_before() -> None:
    metered = Metered()
    metered.gpu(0)
    entry = metered.gpu(1.25)
    assert (entry.t0_ms, entry.t1_ms) == (NOON_MS, NOON_MS + 1250)
    assert (entry.energy_mj, entry.measured_ms, entry.flags) == (375_000, 1250, 0)
    assert (entry.power_mw, entry.util_permille, entry.memory_used_mib) == (300_000, 900, 40_000)


def test_what_the_device_does_not_tell_stays_unknown() -> None:
    entry = Metered().gpu(0, power_w=None, utilization=None, memory_used_bytes=None, temperature_c=None, throttle=None)
    values = (entry.power_mw, entry.util_permille, entry.memory_used_mib, entry.temperature_c, entry.throttle)
    assert values == (None, None, None, None, None)


def test_what_newer_devices_tell_of_their_work_is_taken_up() -> None:
    entry = Metered().gpu(0, tensor_activity=0.3125, dram_activity=0.62, memory_temperature_c=83)
    assert (entry.tensor_permille, entry.dram_permille, entry.memory_temperature_c) == (312, 620, 83)
    older = Metered().gpu(0)
    assert (older.tensor_permille, older.dram_permille, older.memory_temperature_c) == (None, None, None)


def test_a_lost_gpu_tells_every_second_how_much_it_may_have_drawn() -> None:
    metered = Metered()
    metered.gpu(0)
    lost = [metered.meter.gpu(lost_gpu(second), axis(second), host=HOST) for second in (1, 2, 3)]
    assert [(entry.energy_mj, entry.lost_mj) for entry in lost] == [(None, 840_000)] * 3
    back = metered.gpu(4)
    assert (back.energy_mj, back.measured_ms, back.lost_mj) == (1_200_000, 4000, -3 * 840_000)


def test_a_silence_of_more_than_three_seconds_is_a_gap_that_keeps_its_energy() -> None:
    metered = Metered()
    metered.gpu(0)
    assert metered.gpu(3).flags == 0
    entry = metered.gpu(33)
    assert (entry.flags, entry.energy_mj) == (Flag.GAP, 9_000_000)


def test_an_estimate_of_the_collector_is_marked_as_one() -> None:
    metered = Metered()
    metered.gpu(0, energy_estimated=True)
    assert metered.gpu(1, energy_estimated=True).flags == Flag.ESTIMATED


def test_another_driver_is_a_new_epoch_of_the_energy_counter() -> None:
    metered = Metered()
    metered.gpu(0)
    entry = metered.gpu(1, facts=gpu_facts(driver_version="560.1"), energy_mj=5)
    assert (entry.energy_mj, entry.flags) == (None, Flag.BASELINE)


def test_a_restart_of_the_recorder_counts_the_gaps_energy_exactly() -> None:
    metered = Metered()
    metered.gpu(0)
    metered.gpu(1)
    entry = metered.next_run().gpu(601)
    assert (entry.energy_mj, entry.measured_ms, entry.flags) == (180_000_000, 600_000, Flag.GAP)
    assert entry.t1_ms - entry.t0_ms == 600_000


def test_a_run_resumes_where_counting_stood_and_not_at_a_glitch() -> None:
    metered = Metered()
    metered.gpu(0)
    metered.gpu(1, energy_mj=2**60)
    entry = metered.next_run().gpu(2)
    assert (entry.energy_mj, entry.flags) == (600_000, 0)


@pytest.mark.parametrize("change", ["boot", "driver"])
def test_another_boot_or_driver_does_not_resume(change: str) -> None:
    metered = Metered()
    metered.gpu(0)
    later = metered.next_run("boot-2" if change == "boot" else "boot-1")
    entry = later.gpu(1, facts=gpu_facts(driver_version="560.1" if change == "driver" else "550.54"))
    assert (entry.energy_mj, entry.flags) == (None, Flag.BASELINE)


def test_a_late_answer_of_a_stalled_driver_counts_no_time_twice() -> None:
    metered = Metered()
    entries = [metered.gpu(0), metered.gpu(5), metered.gpu(2), metered.gpu(6)]
    assert sum(entry.t1_ms - entry.t0_ms for entry in entries) == 6000


@given(st.lists(st.tuples(st.integers(1, 100_000), st.integers(-7_200_000, 7_200_000)), min_size=1, max_size=20))
def test_lengths_come_from_the_boot_clock_however_the_wall_clock_is_stepped(steps: list[tuple[int, int]]) -> None:
    meter = Metered().meter
    elapsed_ms, wall_ms, length_ms = 0, NOON_MS, 0
    meter.gpu(gpu(0), Axis(wall_ms, boot_ns(0), wall_ms), host=HOST)
    meter.server(page(0, flow()), Axis(wall_ms, boot_ns(0), wall_ms), host=HOST)
    for step_ms, jump_ms in steps:
        elapsed_ms += step_ms
        now = Axis(wall_ms + elapsed_ms + jump_ms, boot_ns(elapsed_ms / 1000), wall_ms)
        entry = meter.gpu(gpu(elapsed_ms / 1000), now, host=HOST)
        server, (of_flow,) = meter.server(page(elapsed_ms / 1000, flow()), now, host=HOST)
        assert {e.t1_ms - e.t0_ms for e in (entry, server, of_flow)} == {step_ms}
        assert entry.t1_ms == now.tick_ms
        length_ms += entry.t1_ms - entry.t0_ms
    assert length_ms == elapsed_ms


# --- the host ---------------------------------------------------------------------------------------------------------


def test_the_hosts_own_cost_is_what_was_used_since_the_reading_before() -> None:
    meter = Metered().meter
    meter.host(host(0, package_energy_uj=5_000_999), axis(0), entity=HOST)
    entry = meter.host(host(2, package_energy_uj=9_000_000), axis(2), entity=HOST)
    assert (entry.self_cpu_ms, entry.self_rss_kib, entry.package_energy_mj) == (40, 45 * 1024, 4000)
    assert entry.t1_ms - entry.t0_ms == 2000


def test_package_energy_that_cannot_be_read_is_unknown() -> None:
    meter = Metered().meter
    meter.host(host(0, package_energy_uj=5_000_000), axis(0), entity=HOST)
    assert meter.host(host(1), axis(1), entity=HOST).package_energy_mj is None
    assert meter.host(host(2, package_energy_uj=9_000_000), axis(2), entity=HOST).package_energy_mj is None


def test_the_boxs_energy_is_the_trapezoid_of_its_watts() -> None:
    meter = Metered().meter
    powers_w = [(0, 1000.0), (1, 1200.0), (6, 1000.0), (12, 1000.0), (13, None), (14, 800.0)]
    entries = [meter.host(host(at, power_w=watts), axis(at), entity=HOST) for at, watts in powers_w]
    assert [entry.power_mw for entry in entries[:2]] == [1_000_000, 1_200_000]
    assert [entry.energy_mj for entry in entries] == [None, 1_100_000, 5_500_000, None, None, None]
