"""The scenario format: waves with exact integrals, and errors that name the line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.nvml.errors import Code
from tests.nvml_stub.stub import StubLibrary, pynvml_as_found
from tokwatch.demo.scenario import parse
from tokwatch.demo.waves import During, parse_wave

__all__ = ["pynvml_as_found"]

WAVES = [
    "120",
    "square 100 500 7 0.25",
    "square 100 500 7 0.25 3",
    "sine 50 11 2",
    "ramp 10 60 300",
    "segments 5:100 30:600 30.5:0",
]


@pytest.mark.parametrize("text", WAVES)
def test_the_integral_is_what_small_steps_add_up_to(text: str) -> None:
    wave, step_s = parse_wave(text), 0.001
    added = sum(wave.at((i + 0.5) * step_s) for i in range(100_000)) * step_s
    assert wave.integral(100) == pytest.approx(added, abs=1)


@given(text=st.sampled_from(WAVES), ends_s=st.tuples(*[st.floats(0, 1e6)] * 3))
@settings(deadline=None)
def test_integrals_of_neighbouring_spans_add_up(text: str, ends_s: tuple[float, float, float]) -> None:
    gpu = parse(f"gpu G\npower_w {text}").gpus[0]
    a, b, c = ends_s
    assert gpu.joules_between(a, b) + gpu.joules_between(b, c) == pytest.approx(gpu.joules_between(a, c), abs=1e-3)


@pytest.mark.parametrize("text", WAVES)
def test_a_wave_during_spans_is_nothing_outside_of_them(text: str) -> None:
    whole, spans = parse_wave(text), ((3.0, 20.0), (40.0, 70.0))
    wave, step_s = During(whole, 2.5, spans), 0.01
    assert [wave.at(t_s) for t_s in (2.9, 20.0, 39.9, 99.0)] == [0.0] * 4
    assert [wave.at(t_s) for t_s in (3.0, 69.9)] == [2.5 * whole.at(3.0), 2.5 * whole.at(69.9)]
    for until_s in (2.0, 10.0, 30.0, 90.0):
        added = sum(wave.at((i + 0.5) * step_s) for i in range(int(until_s / step_s))) * step_s
        assert wave.integral(until_s) == pytest.approx(added, abs=20)


def test_a_quantity_is_the_sum_of_its_waves() -> None:
    gpu = parse("gpu G\npower_w 100\npower_w segments 10:50").gpus[0]
    assert (gpu.power_w.at(9), gpu.power_w.at(10)) == (100, 150)
    assert gpu.joules_between(0, 20) == 2500


def test_the_counter_moves_in_ticks_and_shows_resets_glitches_and_a_standstill() -> None:
    text = "gpu G\npower_w 100\nenergy_start_mj 7\nenergy_reset 10\nenergy_glitch 20 42 2\nenergy_stuck 30"
    gpu = parse(text).gpus[0]
    shown = [gpu.energy_mj_at(round(t_s * 1e9)) for t_s in (0, 0.99, 1, 11, 20, 21.9, 22, 30, 99)]
    assert shown == [7, 90_007, 100_007, 100_000, 42, 42, 1_200_000, 2_000_000, 2_000_000]


def test_errors_begin_and_end_with_their_span() -> None:
    (rule,) = parse("gpu G\nerror * GPU_IS_LOST 20 30").gpus[0].rules
    assert rule.error is Code.GPU_IS_LOST
    assert [rule.holds("nvmlDeviceGetName", t_s) for t_s in (19.9, 20, 29.9, 30)] == [False, True, True, False]
    assert not rule.holds("field:185", 25)  # the whole call is refused already


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("frobnicate 3", "frobnicate"),
        ("power_w square 1 2", "square takes 4 to 5"),
        ("power_w segments 10:5 3:5", "ascending"),
        ("power_w much", "much"),
        ("error nvmlDeviceGetName NO_SUCH_CODE", "NO_SUCH_CODE"),
        ("mig maybe", "maybe"),
        ("mig_instance 7 1g.10gb 9856", "slots are 0 to 6"),
        ("mig_process -1 4711 64", "slots are 0 to 6"),
        ("xid 5 soon", "soon"),
        ("energy_scope moon", "moon"),
    ],
)
def test_a_line_that_makes_no_sense_is_named_by_both_readers(line: str, word: str) -> None:
    text = f"# a comment\ngpu G\n{line}\n"
    with pytest.raises(ValueError, match=rf"line 3.*{word}"):
        parse(text)
    with pytest.raises(ValueError, match="line 3"):
        StubLibrary(text)
