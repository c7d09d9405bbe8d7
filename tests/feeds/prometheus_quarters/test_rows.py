"""Quarter rows of what was told: energy by counter or by power, gaps, and idle energy."""

from __future__ import annotations

from tokwatch.feeds.prometheus_quarters.gpus import GpuTold
from tokwatch.feeds.prometheus_quarters.rows import gpu_quarter
from tokwatch.feeds.prometheus_quarters.telescoping import Increment
from tokwatch.ledger.entries import Flag, State
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.rollup import QUARTER_MS


def row(told: GpuTold, at_work: float | None = 1.0, *, watched_around: bool = False) -> GpuQuarter:
    return gpu_quarter(told, at_work, (0, 1, 2, 3), watched_around=watched_around)


def test_a_counter_tells_the_energy_of_time_that_nobody_watched() -> None:
    found = row(GpuTold(600_000, Increment(360e6), quiet=0, held=1), watched_around=True)
    assert (found.observed_ms, found.gap_ms, found.energy_mj, found.measured_ms) == (600_000, 300_000, 360e6, 900_000)
    assert found.flags & Flag.GAP


def test_before_its_first_sample_and_after_its_last_one_there_is_no_gap() -> None:
    found = row(GpuTold(600_000, Increment(240e6), quiet=0, held=1))
    assert (found.gap_ms, found.measured_ms) == (0, 600_000)


def test_without_a_counter_energy_is_power_over_observed_time_and_estimated() -> None:
    found = row(GpuTold(600_000, power_w=400, quiet=0, held=1), watched_around=True)
    assert (found.energy_mj, found.measured_ms, found.flags) == (240_000_000, 600_000, Flag.ESTIMATED)


def test_energy_that_nobody_tells_is_unknown() -> None:
    found = row(GpuTold(900_000, quiet=0, held=1))
    assert (found.energy_mj, found.measured_ms, found.idle_energy_mj) == (None, 0, None)


def test_idle_energy_is_what_quiet_minutes_drew() -> None:
    found = row(GpuTold(QUARTER_MS, Increment(300e6), quiet=0.5, held=1, quiet_energy=0.2), at_work=0.5)
    assert (found.state_ms[State.PARKED], found.idle_energy_mj) == (450_000, 60_000_000)


def test_means_carry_their_own_time() -> None:
    found = row(GpuTold(300_000, power_w=250, power_max_w=310, utilization=0.5, quiet=0, held=1))
    assert (found.power_mw_ms, found.power_ms, found.power_max_mw) == (250_000 * 300_000, 300_000, 310_000)
    assert (found.util_permille_ms, found.util_ms) == (500 * 300_000, 300_000)
    assert (found.memory_ms, found.temperature_max_c) == (0, None)


def test_what_an_agent_judged_stands_and_is_never_longer_than_a_quarter_hour() -> None:
    told = GpuTold(QUARTER_MS, quiet=0, held=1, state_ms={State.SERVING: 600_400.2, State.PARKED: 300_300.4})
    found = row(told)
    assert set(found.state_ms) == {State.SERVING, State.PARKED}
    assert found.observed_ms == QUARTER_MS
