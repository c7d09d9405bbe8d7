"""Throttle reasons in words, and which of them are faults."""

from __future__ import annotations

import pynvml
from hypothesis import given
from hypothesis import strategies as st

from collectors.nvml.throttle import ALERTS, throttle_alerts, throttle_words


def test_a_gpu_that_runs_freely_has_no_reason() -> None:
    assert throttle_words(0) == ()
    assert throttle_alerts(0) == ()


def test_a_power_cap_at_full_load_is_told_and_is_no_fault() -> None:
    assert throttle_words(0x4) == ("power cap",)
    assert throttle_alerts(0x4) == ()


def test_slowdowns_by_the_hardware_are_faults_and_stand_first() -> None:
    assert throttle_words(0x4 | 0x8 | 0x40 | 0x80) == (
        "hardware slowdown",
        "too hot (hardware)",
        "power brake",
        "power cap",
    )
    assert throttle_alerts(0xCD) == ("hardware slowdown", "too hot (hardware)", "power brake")


def test_a_bit_of_a_newer_driver_is_shown_as_it_is() -> None:
    assert throttle_words(0x8000) == ("reason 0x8000",)


def test_every_bit_of_the_binding_has_words() -> None:
    bits: int = pynvml.nvmlClocksThrottleReasonAll
    assert not any(words.startswith("reason") for words in throttle_words(bits))
    assert (
        pynvml.nvmlClocksEventReasonHwSlowdown
        | pynvml.nvmlClocksEventReasonHwThermalSlowdown
        | pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown
    ) == ALERTS


@given(bits=st.integers(0, (1 << 64) - 1))
def test_each_bit_gives_its_own_words(bits: int) -> None:
    words = throttle_words(bits)
    assert len(set(words)) == len(words) == bits.bit_count()
    assert set(throttle_alerts(bits)) <= set(words)
