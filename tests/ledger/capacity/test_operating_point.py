"""Ratios of one window: each amount over its own time, unknown where a part of it is."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.capacity.points import point
from tokwatch.ledger.capacity.operating_point import MIXES, OperatingPoint, Throughput


def test_throughput_is_over_all_gpus_and_the_time_that_was_read() -> None:
    window = point(gpus=4, read_ms=30_000, prompt_tokens=3_000, output_tokens=6_000)
    assert window.output_tok_s_per_gpu == 50
    assert window.total_tok_s_per_gpu == 75
    assert window.coverage == 0.5


def test_energy_is_over_the_time_that_it_speaks_for() -> None:
    window = point(gpus=4, output_tokens=6_000, energy_mj=600 * 120_000, energy_ms=120_000)
    assert window.watts_per_gpu == 600
    assert window.output_tok_per_j == pytest.approx(25 / 600)
    assert Throughput.OUTPUT_PER_MW.of(window) == pytest.approx(25 / 600 * 1e6)


def test_interactivity_is_one_over_the_mean_time_per_token() -> None:
    assert point(latency_n=10, latency_us=200_000).interactivity == 50
    assert point(latency_n=0, latency_us=0).interactivity is None


def test_tokens_out_of_the_cache_take_no_capacity() -> None:
    window = point(gpus=1, prompt_tokens=60_000, cached_tokens=54_000, output_tokens=6_000)
    assert window.computed_tokens == 12_000
    assert window.computed_tok_s_per_gpu == 200
    assert window.prompt_share == 0.5


def test_prompts_whose_cached_part_is_not_told_are_all_computed() -> None:
    assert point(prompt_tokens=300, cached_tokens=None, output_tokens=100).prompt_share == 0.75


def test_what_is_not_counted_is_unknown_and_not_zero() -> None:
    window = point(prompt_tokens=None, energy_mj=None, running_ms=None, good_at_least=None)
    assert (window.total_tokens, window.total_tok_s_per_gpu, window.mix) == (None, None, "")
    assert (window.watts_per_gpu, window.output_tok_per_j, window.running, window.attained_low) == (None,) * 4
    assert [throughput.of(window) is None for throughput in Throughput] == [False, True, True, True]


@given(prompt=st.integers(0, 10**9), cached=st.integers(0, 10**9), output=st.integers(0, 10**9))
def test_every_window_that_computed_anything_has_one_mix(prompt: int, cached: int, output: int) -> None:
    window = point(prompt_tokens=prompt, cached_tokens=cached, output_tokens=output)
    assert 0 <= window.computed_tokens <= prompt + output
    assert (window.mix in MIXES) is (window.computed_tokens > 0)


def test_a_window_is_small_in_the_store_and_comes_back_equal() -> None:
    body = msgspec.json.encode(point())
    assert len(body) < 150
    assert msgspec.json.decode(body, type=OperatingPoint) == point()
