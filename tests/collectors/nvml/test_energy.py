"""Energy: the driver's counter is the exact integral of power, whatever is missed; without one, an estimate."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.nvml.sources import EnergyEstimate
from collectors.readings import GpuReading, Reason
from tests.nvml_stub.stub import Box, pynvml_as_found
from tokwatch.demo.scenario import parse

__all__ = ["pynvml_as_found"]

BURSTS = """
gpu NVIDIA H100 80GB HBM3
power_w 120
power_w square 0 580 1.37 0.3
power_w sine 20 7.3
"""
PEAK_W = 720
TICK_S = 0.1
NO_COUNTER = "error field:83 NOT_SUPPORTED\nerror nvmlDeviceGetTotalEnergyConsumption NOT_SUPPORTED\n"


def energy_mj(reading: GpuReading) -> int:
    assert reading.energy_mj is not None
    return reading.energy_mj


@settings(max_examples=50, deadline=None)
@given(steps_s=st.lists(st.floats(0.01, 90), min_size=2, max_size=20))
def test_energy_between_any_two_readings_is_the_integral_of_power(steps_s: list[float]) -> None:
    """Missed ticks need no repair: the next difference holds them. Each end is off by less than one sensor tick."""
    box = Box(BURSTS)
    truth = parse(BURSTS).gpus[0]
    now_s = 0.0
    readings = [box.gpu_at(now_s)]
    for step_s in steps_s:
        now_s += step_s
        readings.append(box.gpu_at(now_s))
    for a, b in pairwise(readings):
        joules = (energy_mj(b) - energy_mj(a)) / 1000
        assert joules == pytest.approx(truth.joules_between(a.at_ns / 1e9, b.at_ns / 1e9), abs=PEAK_W * TICK_S + 0.002)


def test_a_board_without_a_counter_gives_an_estimate_that_says_so() -> None:
    box = Box("gpu Tesla P100\npower_w 200\n" + NO_COUNTER)
    readings = [box.gpu_at(second) for second in range(11)]
    assert all(reading.energy_estimated for reading in readings)
    assert energy_mj(readings[-1]) - energy_mj(readings[0]) == 2_000_000
    assert "energy_mj" not in dict(readings[-1].reasons)


def test_an_estimate_does_not_guess_across_a_gap() -> None:
    box = Box("gpu Tesla P100\npower_w 200\n" + NO_COUNTER)
    energies = [energy_mj(box.gpu_at(second)) for second in (0, 5, 11, 12)]
    assert energies == [0, 1_000_000, 1_000_000, 1_200_000]


def test_without_counter_and_power_energy_is_unknown() -> None:
    box = Box("gpu vGPU\n" + NO_COUNTER + "error field:185 NOT_SUPPORTED\nerror nvmlDeviceGetPowerUsage NOT_SUPPORTED")
    gpu = box.gpu_at(3)
    assert (gpu.energy_mj, gpu.energy_estimated) == (None, False)
    assert dict(gpu.reasons)["energy_mj"] is Reason.UNSUPPORTED


def test_a_counter_that_fails_for_a_moment_is_not_replaced_by_an_estimate() -> None:
    box = Box("gpu NVIDIA H100 PCIe\npower_w 200\nerror field:83 UNKNOWN 2 3")
    readings = [box.gpu_at(second) for second in (1, 2, 3)]
    assert [reading.energy_mj for reading in readings] == [200_000, None, 600_000]
    assert not any(reading.energy_estimated for reading in readings)
    assert dict(readings[1].reasons)["energy_mj"] is Reason.DRIVER_ERROR


def test_a_strange_counter_is_passed_on_as_it_stands() -> None:
    """Resets, glitches and stuck counters are the meter's business; a collector that mends them would hide them."""
    box = Box("gpu NVIDIA H100 PCIe\npower_w 100\nenergy_reset 10\nenergy_glitch 20 42\nenergy_stuck 30")
    energies = [energy_mj(box.gpu_at(second)) for second in (9, 11, 20, 21, 30, 40)]
    assert energies == [900_000, 100_000, 42, 1_100_000, 2_000_000, 2_000_000]


def test_the_estimate_survives_a_shutdown_of_the_driver() -> None:
    box = Box("gpu Tesla P100\npower_w 200\n" + NO_COUNTER + "error nvmlDeviceGetHandleByIndex_v2 UNINITIALIZED 2 2")
    assert [energy_mj(box.gpu_at(second)) for second in (0, 1, 2)] == [0, 200_000, 400_000]
    box.stub.driver.nvmlShutdown()
    assert box.gpu_at(3).energy_mj is None
    assert energy_mj(box.gpu_at(8)) == 400_000  # six seconds on: nothing is known of them


@given(
    powers_w=st.lists(st.one_of(st.none(), st.floats(0, 1500)), min_size=1, max_size=30),
    steps_ns=st.lists(st.integers(1, 20_000_000_000), min_size=30, max_size=30),
)
def test_an_estimate_never_falls_and_never_exceeds_the_highest_power(
    powers_w: list[float | None], steps_ns: list[int]
) -> None:
    estimate = EnergyEstimate()
    at_ns, last = 0, 0
    for power_w, step_ns in zip(powers_w, steps_ns, strict=False):
        at_ns += step_ns
        total = estimate.add(at_ns, power_w)
        assert (total is None) == (power_w is None)
        if total is not None:
            assert last <= total <= max(p for p in powers_w if p is not None) * at_ns / 1e6 + 1
            last = total
