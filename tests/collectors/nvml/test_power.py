"""Whose watts: of the GPU, or of the superchip's module with its CPU; and which of them the energy counter counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.nvml.power import LONGEST_TRIAL_NS, SHORTEST_TRIAL_NS, ScopeTrial
from tests.nvml_stub.stub import Box, pynvml_as_found

__all__ = ["pynvml_as_found"]

S = 1_000_000_000
GH200 = """
gpu NVIDIA GH200 480GB
power_w 400
power_w square 0 200 3 0.5
module_w 150
"""
NO_GPU_SCOPE = "error field:185:0 NOT_SUPPORTED\nerror field:186:0 NOT_SUPPORTED\n"
NO_POWER_USAGE = "error nvmlDeviceGetPowerUsage NOT_SUPPORTED\n"


def scope_after(scenario: str, seconds: int = 30) -> str:
    box = Box(scenario)
    return [box.gpu_at(second) for second in range(seconds)][-1].facts.power_scope


def test_an_ordinary_gpu_has_its_own_power_and_the_module_is_asked_for_once() -> None:
    box = Box("gpu NVIDIA H100 80GB HBM3\npower_w 300\nrecovery_action 0")
    for second in range(60):
        assert box.gpu_at(second).facts.power_scope == "gpu"
    assert box.stub.call_count("nvmlDeviceGetPowerUsage") == 0
    assert box.stub.call_count("nvmlDeviceGetFieldValues") == 60 + 12  # the recovery action, every 5 s


def test_without_a_scope_of_the_gpu_the_modules_power_is_shown_and_named() -> None:
    gpu = Box(GH200 + NO_GPU_SCOPE + NO_POWER_USAGE).gpu_at(1)
    assert (gpu.power_w, gpu.facts.power_scope) == (400 + 200 + 150, "module")
    assert gpu.power_instant_w == 750  # of the same scope


def test_the_power_shown_is_of_the_scope_that_the_counter_counts() -> None:
    box = Box(GH200 + NO_GPU_SCOPE)
    readings = [box.gpu_at(second) for second in range(30)]
    assert (readings[1].facts.power_scope, readings[1].power_w) == ("module", 750)
    assert (readings[28].facts.power_scope, readings[28].power_w) == ("gpu", 600)
    assert scope_after(GH200 + NO_GPU_SCOPE + "energy_scope module\n") == "module"


def test_a_superchip_that_tells_both_scopes_is_measured_by_the_one_its_counter_counts() -> None:
    assert scope_after(GH200) == "gpu"
    assert scope_after(GH200 + "energy_scope module\n") == "module"


def test_without_a_counter_the_first_scope_that_answers_holds() -> None:
    no_counter = "error field:83 NOT_SUPPORTED\nerror nvmlDeviceGetTotalEnergyConsumption NOT_SUPPORTED\n"
    assert scope_after(GH200 + no_counter, 70) == "gpu"
    assert scope_after(GH200 + NO_GPU_SCOPE + no_counter, 70) == "module"


def test_once_the_scope_is_known_the_other_is_asked_no_more() -> None:
    box = Box(GH200 + NO_GPU_SCOPE + "energy_scope module\n")
    for second in range(20):
        box.gpu_at(second)
    before = box.stub.call_count("nvmlDeviceGetPowerUsage")
    for second in range(20, 40):
        box.gpu_at(second)
    assert box.stub.call_count("nvmlDeviceGetPowerUsage") == before <= 12


def test_a_sensor_without_an_average_shows_its_last_moment() -> None:
    """GA100: power usage and the instant field are the same 25 ms window, field 185 is not supported."""
    gpu = Box("gpu NVIDIA A100-SXM4-80GB\npower_w square 100 500 0.4 0.5\nerror field:185 NOT_SUPPORTED").gpu_at(10)
    assert (gpu.power_w, gpu.power_instant_w, gpu.facts.power_scope) == (500, 500, "gpu")


# --- the trial by itself ----------------------------------------------------------------------------------------------


def verdicts(trial: ScopeTrial, samples: Sequence[tuple[int, int | None, float, float]]) -> list[bool | None]:
    return [trial.add(second * S, energy_mj, first_w, second_w) for second, energy_mj, first_w, second_w in samples]


@given(
    first_w=st.floats(200, 1500),
    apart_w=st.floats(20, 800),
    follows_second=st.booleans(),
    off=st.floats(-0.2, 0.2),
    start_mj=st.integers(0, 1 << 50),
)
def test_the_power_whose_integral_the_counter_is_wins(
    first_w: float, apart_w: float, follows_second: bool, off: float, start_mj: int
) -> None:
    second_w = first_w + apart_w
    counted_w = (second_w if follows_second else first_w) + off * apart_w
    samples = [(s, start_mj + int(counted_w * s * 1000), first_w, second_w) for s in range(11)]
    assert verdicts(ScopeTrial(), samples) == [None] * (SHORTEST_TRIAL_NS // S) + [follows_second]


def test_a_counter_that_follows_neither_leaves_the_first() -> None:
    samples = [(s, 200_000 * s, 100.0, 300.0) for s in range(61)]
    assert verdicts(ScopeTrial(), samples) == [None] * (LONGEST_TRIAL_NS // S) + [False]


def test_two_equal_powers_cannot_be_told_apart() -> None:
    samples = [(s, 100_000 * s, 100.0, 100.0) for s in range(61)]
    assert verdicts(ScopeTrial(), samples) == [None] * 60 + [False]


@pytest.mark.parametrize("event", ["reset", "gap"])
def test_a_reset_or_a_gap_starts_the_trial_anew(event: str) -> None:
    trial = ScopeTrial()
    at = 9 if event == "reset" else 15
    before = [(s, 5_000_000 + 300_000 * s, 100.0, 300.0) for s in range(9)]
    counted = 0 if event == "reset" else 5_000_000 + 300_000 * at
    after = [(at + s, counted + 300_000 * s, 100.0, 300.0) for s in range(11)]
    assert verdicts(trial, before + after) == [None] * 19 + [True]


def test_a_counter_that_is_silent_for_a_moment_costs_nothing() -> None:
    samples = [(s, None if s == 4 else 300_000 * s, 100.0, 300.0) for s in range(11)]
    assert verdicts(ScopeTrial(), samples)[-1] is True
