"""What the simulated servers count: integers that never fall, and that add up to what was asked of them."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import Histogram
from tokwatch.demo.fleet import FLEET, LIVE_S
from tokwatch.demo.load import Counters, Load, Observed, Pace, Sizes, spread
from tokwatch.demo.simulated_server import SimulatedServer
from tokwatch.demo.waves import Quantity, parse_wave

DAY_S = 86_400.0
servers = st.sampled_from(FLEET)
instants = st.floats(min_value=0.0, max_value=LIVE_S + DAY_S)


def _load(*waves: str) -> Load:
    latencies = Observed((0.1, 1.0), [0.05, 0.5, 5.0])
    prompts = Sizes([100, 300])
    return Load(
        requests_per_s=Quantity(tuple(map(parse_wave, waves))),
        prompt_tokens=prompts,
        cached_tokens=Sizes([10, 30]),
        output_tokens=Sizes([50]),
        prompt_length=Observed((200.0,), prompts.tokens),
        tokens_per_step=5,
        kv_capacity_tokens=10_000,
        paces=(Pace(1.0, 1.0, 8.0, latencies, latencies, latencies, latencies, latencies),),
    )


def _histograms(counters: Counters) -> list[Histogram]:
    values = (getattr(counters, field.name) for field in dataclasses.fields(counters))
    return [value for value in values if isinstance(value, Histogram)]


def _counted(counters: Counters) -> list[float]:
    """Everything that must not fall."""
    plain = ("prompt_tokens", "cached_tokens", "output_tokens", "output_tokens_finished", "steps", "finished")
    numbers = [float(getattr(counters, name)) for name in plain]
    for observed in _histograms(counters):
        numbers += [*observed.counts, observed.sum]
    return numbers


@given(servers, instants, instants)
def test_no_counter_ever_falls(server: SimulatedServer, one_s: float, other_s: float) -> None:
    earlier, later = (_counted(server.load.at(t_s, 0.0)) for t_s in sorted((one_s, other_s)))
    assert all(before <= after for before, after in zip(earlier, later, strict=True))


@given(servers, instants)
def test_what_arrived_waits_runs_or_is_finished(server: SimulatedServer, t_s: float) -> None:
    counters = server.load.at(t_s, 0.0)
    arrived = server.load.requests_per_s.integral(t_s)
    assert counters.waiting >= 0
    assert counters.running >= 0
    assert abs(counters.finished + counters.running + counters.waiting - arrived) <= 1
    assert 0.0 <= counters.kv_usage <= 1.0


@given(servers, instants)
def test_every_output_token_is_a_first_one_or_was_waited_for(server: SimulatedServer, t_s: float) -> None:
    counters = server.load.at(t_s, 0.0)
    assert counters.output_tokens == counters.ttft.counts[-1] + counters.itl.counts[-1]
    assert counters.cached_tokens <= counters.prompt_tokens


@given(servers, instants)
def test_every_finished_request_had_a_prompt_and_waited_in_the_queue(server: SimulatedServer, t_s: float) -> None:
    counters = server.load.at(t_s, 0.0)
    assert counters.prompt_length.counts[-1] == counters.queue.counts[-1] == counters.finished
    assert counters.prompt_length.sum == server.load.prompt_tokens.of_first(counters.finished)
    assert counters.queue.sum <= counters.e2e.sum


@pytest.mark.parametrize("server", FLEET, ids=lambda server: f"gpu {server.gpus[0]}")
def test_requests_tell_of_the_queue_that_the_waiting_gauge_shows(server: SimulatedServer) -> None:
    for pace in server.load.paces:
        observed = pace.queue.of_first(64)  # the whole table
        assert observed.sum / observed.counts[-1] == pytest.approx(pace.queue_s, rel=0.02)


@given(servers, instants)
def test_no_server_is_asked_for_less_than_nothing(server: SimulatedServer, t_s: float) -> None:
    assert server.load.requests_per_s.at(t_s) > -1e-9


def test_a_request_is_counted_where_it_is() -> None:
    load = _load("segments 0:1 1:0")  # one request, at second 1
    assert load.at(1.5, 0.0).waiting == 1
    prefilling = load.at(2.5, 0.0)
    assert (prefilling.waiting, prefilling.running, prefilling.prompt_tokens) == (0, 1, 0)
    decoding = load.at(9.0, 0.0)
    assert (decoding.prompt_tokens, decoding.cached_tokens, decoding.ttft.counts) == (100, 10, (1, 1, 1))
    assert (decoding.output_tokens, decoding.output_tokens_finished, decoding.finished) == (50, 0, 0)
    done = load.at(11.0, 0.0)
    assert (done.output_tokens, done.output_tokens_finished, done.finished, done.running) == (50, 50, 1, 0)


def test_a_new_process_counts_from_zero() -> None:
    load = _load("3")
    assert _counted(load.at(100.0, 100.0)) == [0.0] * len(_counted(load.at(0.0, 0.0)))
    assert load.at(200.0, 100.0).finished == 3 * 90


def test_the_sum_of_the_first_n_sizes_goes_round_the_table() -> None:
    sizes = Sizes([5, 7, 11])
    assert [sizes.of_first(n) for n in range(6)] == [0, 5, 12, 23, 28, 35]


def test_the_histogram_of_the_first_n_goes_round_the_table() -> None:
    observed = Observed((0.1, 1.0), [0.1, 5.0, 0.5])
    assert observed.of_first(0).counts == (0, 0, 0)
    assert observed.of_first(5).counts == (2, 3, 5)
    assert observed.of_first(5).sum == pytest.approx(0.1 + 5.0 + 0.5 + 0.1 + 5.0)


def test_spread_values_have_their_mean() -> None:
    assert math.fsum(spread(350, 0.5)) / 64 == pytest.approx(350, rel=0.02)


@given(servers, st.lists(st.floats(min_value=0.0, max_value=3600.0), min_size=1, max_size=4))
def test_counters_do_not_depend_on_when_they_were_asked_for_before(
    server: SimulatedServer, before: list[float]
) -> None:
    asked, unasked = dataclasses.replace(server.load), dataclasses.replace(server.load)
    for t_s in before:
        asked.at(t_s, 0.0)
    assert unasked.at(before[-1], 0.0) == asked.at(before[-1], 0.0)
