"""Noise of the benchmarks' fleet: a wave like the others, so its integral is exact and it is the same each time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.history.noise import Noise

STEP_S, LENGTH_S = 0.5, 20.0
NOISE = Noise(3.0, "a seed", step_s=STEP_S, length_s=LENGTH_S)


@given(st.integers(0, 200))
def test_its_integral_over_a_step_is_its_level(step: int) -> None:
    drawn = NOISE.integral((step + 1) * STEP_S) - NOISE.integral(step * STEP_S)
    assert drawn == pytest.approx(NOISE.at((step + 0.5) * STEP_S) * STEP_S, abs=1e-9)


@given(st.floats(0.0, 100.0))
def test_it_stays_within_three_sigma_and_repeats(t_s: float) -> None:
    assert abs(NOISE.at(t_s)) <= 9.0
    assert NOISE.integral(t_s + LENGTH_S) - NOISE.integral(t_s) == pytest.approx(NOISE.integral(LENGTH_S), abs=1e-6)


def test_the_same_seed_gives_the_same_noise() -> None:
    again = Noise(3.0, "a seed", step_s=STEP_S, length_s=LENGTH_S)
    assert [again.at(t_s) for t_s in range(20)] == [NOISE.at(t_s) for t_s in range(20)]
