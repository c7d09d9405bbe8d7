"""The fleet's meter: what reports add up to in a window, over restarts, silence and wrong clocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ledger.fleet.reports import PARKED, SERVING, hello, report
from tokwatch.ledger.entries import Flag, State
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.tally import FlowTally, HostTally

WINDOW_MS = 10_000


def fed(*reports: tuple[float, float, int], skew_ms: int = 0) -> FleetMeter:
    """(second, joules of each GPU, output tokens)."""
    meter = FleetMeter()
    meter.hello("h1", hello(), 0)
    for at_s, energy_j, output in reports:
        meter.report("h1", report(at_s, energy_j=energy_j, output=output, skew_ms=skew_ms), round(1000 * at_s))
    return meter


def tally(meter: FleetMeter, at_s: float, window_ms: int = WINDOW_MS) -> HostTally:
    (host,) = meter.tally(round(1000 * at_s), window_ms)
    return host


def flow(host: HostTally) -> FlowTally:
    (one,) = host.flows
    return one


def test_the_first_report_of_a_run_that_was_there_before_is_a_baseline() -> None:
    host = tally(fed((100, 5000, 700)), 100)
    assert (host.energy_mj, host.length_ms, flow(host).output_tokens) == (None, 0, None)
    assert (host.up, host.gpus, host.power_w) == (True, 2, 1000)  # gauges need no interval


def test_sums_of_the_window_are_differences_of_counters_as_they_stood() -> None:
    host = tally(fed((100, 5000, 700), (101, 5500, 710)), 101)
    assert (host.energy_mj, host.measured_ms, host.length_ms) == (1_000_000, 2000, 1000)
    assert (flow(host).output_tokens, flow(host).prompt_tokens, flow(host).finished) == (10, 20, 10)


def test_gauges_are_those_of_the_newest_report() -> None:
    host = tally(fed((100, 0, 0), (101, 0, 0)), 101)
    assert host.states == ((SERVING, 2),)
    assert (host.memory_used_mib, host.memory_total_mib, host.utilization) == (140_000, 163_118, 0.9)
    assert (flow(host).servers, flow(host).running, flow(host).waiting, flow(host).kv_usage) == (1, 3, 1, 0.5)
    assert (host.gpu_model, host.agent, host.temperature_max_c) == ("H100", "0.9", 61)


def test_a_lost_line_loses_nothing() -> None:
    assert tally(fed((100, 0, 0), (104, 2000, 40)), 104).energy_mj == 4_000_000


def test_a_window_ends_with_the_newest_report_and_is_as_long_as_it_says() -> None:
    host = tally(fed(*((second, 500.0 * second, 7 * second) for second in range(100, 200))), 199)
    assert WINDOW_MS <= host.length_ms < WINDOW_MS + 5000
    assert (host.energy_mj or 0) / host.length_ms == 2 * 500
    assert (flow(host).output_tokens or 0) * 1000 / host.length_ms == 7


def test_a_new_run_counts_from_zero() -> None:
    meter = fed((100, 5000, 700))
    meter.hello("h1", hello(run="two", started_ms=100_500), 102_000)
    meter.report("h1", report(102, energy_j=600, output=12, watched_s=1), 102_000)
    host = tally(meter, 102)
    assert (host.energy_mj, flow(host).output_tokens, host.length_ms) == (1_200_000, 12, 1000)


def test_another_run_that_was_there_all_along_begins_with_a_baseline() -> None:
    meter = fed((100, 5000, 700))
    meter.hello("h1", hello(run="two", started_ms=50_000), 102_000)
    meter.report("h1", report(102, energy_j=26_000, output=9000), 102_000)
    meter.report("h1", report(103, energy_j=26_500, output=9010), 103_000)
    assert (tally(meter, 103).energy_mj, flow(tally(meter, 103)).output_tokens) == (1_000_000, 10)


def test_a_counter_that_falls_counts_from_zero() -> None:
    assert flow(tally(fed((100, 0, 700), (101, 500, 30)), 101)).output_tokens == 30


def test_a_gpu_that_a_later_hello_names_counts_from_zero_and_the_others_go_on() -> None:
    meter = fed((100, 5000, 700))
    meter.hello("h1", hello(3, names=("GPU-1", "GPU-new", "GPU-0")), 100_500)
    meter.report("h1", report(101, energy_j=5500, output=710, gpus=3), 101_000)
    assert tally(meter, 101).energy_mj == 500_000 + 500_000 + 5_500_000


def test_what_is_counted_elsewhere_is_in_no_sum() -> None:
    meter = FleetMeter()
    meter.hello("h1", hello(elsewhere=int(Flag.PROMPT_ELSEWHERE)), 0)
    for second in (100, 101):
        meter.report("h1", report(second, output=10 * second), second * 1000)
    assert (flow(tally(meter, 101)).prompt_tokens, flow(tally(meter, 101)).output_tokens) == (None, 10)


def test_models_stand_apart() -> None:
    meter = FleetMeter()
    meter.hello("h1", hello(models=("a", "b")), 0)
    for second in (100, 101):
        meter.report("h1", report(second, output=second, models=2), second * 1000)
    assert [(each.model, each.output_tokens) for each in tally(meter, 101).flows] == [("a", 1), ("b", 1)]


def test_a_silent_host_stays_with_its_age_and_without_figures() -> None:
    host = tally(fed((100, 0, 0), (101, 500, 10)), 140)
    assert (host.t1_ms, host.up, host.problem) == (101_000, False, "h1 has been silent for 39 s")
    assert (host.power_w, host.energy_mj, host.flows, host.gpus) == (None, None, (), 2)
    assert host.states == ((State.UNKNOWN, 2),)


def test_a_host_that_fails_keeps_its_sums_until_it_is_stale() -> None:
    meter = fed((100, 0, 0), (101, 500, 10))
    meter.failed("h1", "connection refused", 102_000)
    host = tally(meter, 102)
    assert (host.up, host.problem, host.energy_mj) == (False, "connection refused", 1_000_000)
    meter.report("h1", report(103, energy_j=1500, output=20), 103_000)
    assert tally(meter, 103).up


def test_a_host_that_never_answered_is_there_with_its_problem() -> None:
    meter = FleetMeter()
    meter.failed("h1", "name not known", 5000)
    host = tally(meter, 9)
    assert (host.up, host.problem, host.gpus, host.t1_ms) == (False, "name not known", None, 5000)


def test_the_skew_of_its_clock_is_told_and_changes_no_rate() -> None:
    host = tally(fed((100, 0, 0), (101, 500, 10), skew_ms=-3_600_000), 101)
    assert (host.clock_skew_ms, host.energy_mj, host.length_ms) == (-3_600_000, 1_000_000, 1000)


def test_pages_tell_no_clock() -> None:
    meter = FleetMeter()
    meter.hello("h1", hello(), 0, tells_clock=False)
    meter.report("h1", report(100), 100_000)
    assert tally(meter, 100).clock_skew_ms is None


def test_a_state_of_a_newer_agent_is_unknown() -> None:
    meter = FleetMeter()
    meter.hello("h1", hello(), 0)
    meter.report("h1", report(100, state=99), 100_000)
    assert tally(meter, 100).states == ((State.UNKNOWN, 2),)


def test_a_report_that_does_not_fit_its_hello_is_refused_and_changes_nothing() -> None:
    meter = fed((100, 0, 0), (101, 500, 10))
    with pytest.raises(ValueError, match="a report of 3 GPUs and 1 flows after 2 and 1 were announced"):
        meter.report("h1", report(102, energy_j=900, gpus=3), 102_000)
    assert tally(meter, 102).energy_mj == 1_000_000
    with pytest.raises(ValueError, match="has not said what it is"):
        meter.report("h2", report(100), 100_000)


def test_a_host_that_left_the_list_is_forgotten() -> None:
    meter = fed((100, 0, 0))
    meter.forget("h1")
    assert meter.tally(100_000, WINDOW_MS) == ()


def test_some_hosts_can_be_asked_for() -> None:
    meter = fed((100, 0, 0))
    meter.failed("h2", "down", 0)
    assert [host.host for host in meter.tally(100_000, WINDOW_MS, ["h2", "h3"])] == ["h2"]


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 50)), min_size=1, max_size=40), st.booleans())
def test_consecutive_windows_hold_what_was_counted_in_all(steps: list[tuple[int, int]], parked: bool) -> None:
    """Whatever the steps: the totals since the first report telescope."""
    meter = FleetMeter()
    meter.hello("h1", hello(), 0)
    energy_j, output = 0, 0
    meter.report("h1", report(0, energy_j=0, output=0), 0)
    for second, (joules, tokens) in enumerate(steps, 1):
        energy_j, output = energy_j + joules, output + tokens
        state = PARKED if parked else SERVING
        meter.report("h1", report(second, energy_j=energy_j, output=output, state=state), second * 1000)
    host = tally(meter, len(steps), 60_000)
    assert (host.energy_mj, flow(host).output_tokens, host.length_ms) == (2000 * energy_j, output, 1000 * len(steps))


# --- boxes that lie ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [-1, 1, 10**9])
def test_a_gpu_that_serves_a_server_nobody_announced_is_refused(place: int) -> None:
    meter = fed((100, 0, 0))
    told = report(101, energy_j=500, output=10)
    with pytest.raises(ValueError, match="another server"):
        meter.report("h1", replace(told, gpus=tuple(replace(gpu, servers=(place,)) for gpu in told.gpus)), 101_000)
    assert tally(meter, 101).length_ms == 0


def test_models_that_come_and_go_without_end_are_forgotten_and_the_others_go_on() -> None:
    meter = FleetMeter()
    for second in range(40):
        models = ("qwen", *(f"model {second} {number}" for number in range(1000)))
        meter.hello("h1", hello(models=models), 1000 * second)
        meter.report("h1", report(second, energy_j=500.0 * second, output=7 * second, models=1001), 1000 * second)
    counters = meter.counters("h1")
    assert len(counters.sums().flows) < 17_000
    assert counters.sums().flows["qwen"][2] == 7 * 39


def test_gpus_without_end_are_no_host() -> None:
    meter = FleetMeter()
    for second in range(16):
        meter.hello("h1", hello(names=tuple(f"GPU {second} {number}" for number in range(1000))), 1000 * second)
    with pytest.raises(ValueError, match="this is no one host"):
        meter.hello("h1", hello(names=tuple(f"GPU {number}" for number in range(1000))), 16_000)


def test_a_server_that_is_gone_for_a_while_counts_from_zero_when_it_comes_back() -> None:
    meter = FleetMeter()
    for second, output, is_there in ((100, 50, True), (101, 0, False), (102, 80, True)):
        meter.hello("h1", hello(models=("qwen",) if is_there else ()), 1000 * second)
        meter.report("h1", report(second, output=output, models=int(is_there)), 1000 * second)
    assert meter.counters("h1").sums().flows["qwen"][2] == 80  # its agent forgot what it had counted


def test_a_clock_of_ours_that_is_set_back_leaves_windows_as_long_as_they_say() -> None:
    meter = fed(*((second, 500.0 * second, 7 * second) for second in range(3600, 3660)))
    for second in range(3660, 3720):
        meter.report("h1", report(second, energy_j=500.0 * second, output=7 * second), 1000 * (second - 3600))
    host = tally(meter, 119)
    assert WINDOW_MS <= host.length_ms < WINDOW_MS + 6000
    assert (flow(host).output_tokens or 0) * 1000 / host.length_ms == 7
