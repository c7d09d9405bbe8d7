"""The simulated box tells one story to the driver and to the pages."""

from __future__ import annotations

import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.demo.fleet import FLEET, GPU_COUNT, LIVE_S, SCENARIO
from tokwatch.demo.simulated_server import SimulatedServer

PARKED_W, FREE_W = 128.0, 68.0


def _minutes_ago(minutes: float) -> float:
    return LIVE_S - minutes * 60


def _power_w(gpu: int, t_s: float) -> float:
    return SCENARIO.gpus[gpu].power_w.at(t_s)


def _server_on(gpu: int) -> SimulatedServer:
    return next(server for server in FLEET if gpu in server.gpus)


def test_every_gpu_has_one_server() -> None:
    assert sorted(gpu for server in FLEET for gpu in server.gpus) == list(range(GPU_COUNT))
    assert len(SCENARIO.gpus) == GPU_COUNT


@given(gpu=st.integers(0, GPU_COUNT - 1), t_s=st.floats(0, LIVE_S + 86_400))
def test_no_gpu_leaves_what_an_h100_can_do(gpu: int, t_s: float) -> None:
    device = SCENARIO.gpus[gpu]
    assert FREE_W - 1e-6 <= _power_w(gpu, t_s) <= 700.0
    assert -1e-6 <= device.utilization_percent.at(t_s) <= 100.0
    assert 0 < device.memory_used_mib.at(t_s) < device.memory_mib
    assert 30 <= device.temperature_c.at(t_s) <= 85


@given(gpu=st.integers(0, GPU_COUNT - 1), t_s=st.floats(0, LIVE_S + 86_400))
def test_the_driver_lists_the_processes_of_the_server_that_lives(gpu: int, t_s: float) -> None:
    listed = {pid for pid, _, span in SCENARIO.gpus[gpu].processes if t_s in span}
    life = _server_on(gpu).life_at(t_s)
    assert len(listed) == (0 if life is None else 1)
    assert listed <= set(life.pids if life else ())


@given(server=st.sampled_from(FLEET), t_s=st.floats(0, LIVE_S + 86_400))
def test_a_gpu_draws_more_than_parked_power_exactly_while_requests_come(server: SimulatedServer, t_s: float) -> None:
    busy = server.load.requests_per_s.at(t_s) > 1e-6
    assert (_power_w(server.gpus[0], t_s) > PARKED_W + 1e-6) == busy


@pytest.mark.parametrize(
    ("gpu", "minutes_ago", "power_w"),
    [
        (5, 84, PARKED_W),
        (6, 41, PARKED_W),
        (6, 0.01, PARKED_W),
        (6, 165, PARKED_W),
        (7, 170, PARKED_W),
        (7, 60, FREE_W),
    ],
)
def test_the_idle_stretches_of_the_story(gpu: int, minutes_ago: float, power_w: float) -> None:
    assert _power_w(gpu, _minutes_ago(minutes_ago)) == pytest.approx(power_w)


def test_the_parked_replica_wakes_again_and_again_once_the_demo_is_live() -> None:
    rate = _server_on(6).load.requests_per_s
    starts = [
        minute for minute in range(1, 90) if rate.at(LIVE_S + 60 * minute) > 1 > rate.at(LIVE_S + 60 * (minute - 1))
    ]
    assert starts == [4, 28, 52, 76]


def _minute(server: SimulatedServer, minutes_ago: float) -> tuple[float, float]:
    """tok/s per GPU and tok/s per user in the minute from then on."""
    first, last = (server.load.at(_minutes_ago(minutes), 0.0) for minutes in (minutes_ago, minutes_ago - 1))
    tok_s = (last.output_tokens - first.output_tokens) / 60 / len(server.gpus)
    return tok_s, (last.finished - first.finished) / (last.tpot.sum - first.tpot.sum)


def test_what_the_large_model_gains_in_tokens_its_users_lose_in_speed() -> None:
    minutes = [_minute(_server_on(0), ago) for ago in range(180, 0, -1)]
    throughputs, speeds = zip(*minutes, strict=True)
    assert min(throughputs) < 0.6 * max(throughputs)
    assert statistics.correlation(throughputs, speeds) < -0.7


def test_it_is_fast_and_cheap_enough_only_now_and_then() -> None:
    minutes = [_minute(_server_on(0), ago) for ago in range(180, 0, -1)]
    fast = [speed >= 40 for _, speed in minutes]
    cheap = [tok_s >= 2.25e6 / 3600 / 0.45 for tok_s, _ in minutes]
    sides = Counter(zip(fast, cheap, strict=True))
    assert len(sides) == 4
    assert all(4 <= minutes_there <= 90 for minutes_there in sides.values())


@pytest.mark.parametrize(("minutes_ago", "full"), [(120, False), (9, False), (5, True), (1, True), (-60, True)])
def test_the_kv_cache_of_the_overloaded_server_is_full_since_minutes(minutes_ago: float, full: bool) -> None:
    counters = _server_on(4).load.at(_minutes_ago(minutes_ago), 0.0)
    assert (counters.kv_usage > 0.95) == full
    assert (counters.waiting > 1) == full


def test_the_restarted_server_loads_before_it_answers() -> None:
    first, second = _server_on(7).lives
    assert first.until_s == second.from_s < second.up_s < second.until_s < LIVE_S
    assert _server_on(7).load.at(second.up_s, second.from_s).output_tokens == 0
