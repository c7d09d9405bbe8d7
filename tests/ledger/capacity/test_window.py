"""A window closes only where it was watched whole; what it adds up is what counts at its servers."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.ledger.readings import NOON_MS
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.capacity.window import Window
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, HistogramEntry, ServerEntry, State
from tokwatch.ledger.slo import Slo

GPUS = frozenset({10, 11})
SERVER, MODEL = 7, "Qwen3-32B"
SLO = Slo(ttft_s=0.5, tpot_s=0.05, target=0.9)


def gpu(second: int, number: int = 10, **changes: Any) -> GpuEntry:
    at_ms = NOON_MS + second * 1000
    usual = GpuEntry(number, at_ms - 1000, at_ms, 300_000, 1000, 300_000, 900, 0, 60, 1755, 0, State.SERVING, SERVER)
    return replace(usual, **changes)


def server(second: int, **changes: Any) -> ServerEntry:
    at_ms = NOON_MS + second * 1000
    return replace(ServerEntry(SERVER, at_ms - 1000, at_ms, True, 8, 0, 5000, None, 4, 28_000), **changes)


def histogram(name: str, edges: tuple[float, ...], *counts: int, sum_us: int = 0) -> HistogramEntry:
    return HistogramEntry(name, edges, counts, sum_us)


def flow(second: int, **changes: Any) -> FlowEntry:
    at_ms = NOON_MS + second * 1000
    latencies = (
        histogram("ttft", (0.1, 0.5), 1, 0, 0, sum_us=90_000),
        histogram("tpot", (0.05, 0.1), 1, 0, 0, sum_us=20_000),
    )
    return replace(FlowEntry(20, at_ms - 1000, at_ms, 100, 40, 50, 1, 0, 0, 0, latencies), **changes)


def filled(seconds: range = range(1, 61), **of_flow: Any) -> Window:
    window = Window(NOON_MS)
    for second in seconds:
        window.on(GPUS)
        for number in sorted(GPUS):
            window.gpu(gpu(second, number))
        window.server(server(second))
        window.flow(flow(second, **of_flow), SERVER, MODEL)
    return window


def closed(window: Window, slo: Slo = SLO, seconds: int = 60) -> OperatingPoint | None:
    return window.close(NOON_MS + seconds * 1000, lambda _: slo)


def whole(window: Window, slo: Slo = SLO) -> OperatingPoint:
    point = closed(window, slo)
    assert point is not None
    return point


def test_a_whole_minute_adds_up() -> None:
    assert whole(filled()) == OperatingPoint(
        *(NOON_MS, NOON_MS + 60_000, 2, 60_000, 6_000, 2_400, 3_000, 2 * 60 * 300_000, 120_000, 8 * 60_000, 60),
        *("tpot", 60, 60 * 20_000, 60, 60),
    )


def test_a_minute_that_was_read_in_part_is_no_window() -> None:
    assert closed(filled(range(1, 55))) is not None
    assert closed(filled(range(1, 54))) is None


def test_a_server_that_could_not_be_read_spoils_the_window() -> None:
    window = filled()
    window.server(server(60, entity=8, up=False))
    assert closed(window) is None


def test_a_gpu_that_comes_or_goes_spoils_the_window() -> None:
    window = filled()
    window.on(frozenset({10}))
    assert closed(window) is None
    window = filled()
    window.on(frozenset())
    assert closed(window) is None


def test_what_came_in_a_gap_is_of_no_window() -> None:
    window = filled()
    window.flow(flow(60, output_tokens=10**6, flags=Flag.GAP), SERVER, MODEL)
    window.gpu(gpu(60, energy_mj=10**9, flags=Flag.GAP))
    assert whole(window) == whole(filled())


def test_tokens_that_are_counted_elsewhere_are_left_out() -> None:
    point = whole(filled(flags=Flag.OUTPUT_ELSEWHERE))
    assert (point.prompt_tokens, point.output_tokens, point.finished) == (6_000, None, None)
    assert point.interactivity is None


def test_energy_that_a_part_of_the_gpus_did_not_tell_is_unknown() -> None:
    window = Window(NOON_MS)
    for second in range(1, 61):
        window.on(GPUS)
        window.gpu(gpu(second))
        window.server(server(second))
    assert whole(window).energy_mj is None


def test_running_requests_that_a_page_does_not_tell_are_unknown() -> None:
    window = filled()
    window.server(server(60, entity=8, t0_ms=NOON_MS, running=None))
    assert whole(window).running is None


def test_interactivity_falls_back_to_the_gaps_between_tokens() -> None:
    gaps = (histogram("itl", (0.05,), 9, 1, sum_us=400_000),)
    point = whole(filled(histograms=gaps))
    assert (point.latency, point.interactivity) == ("itl", 25)


def test_without_an_slo_nothing_is_judged() -> None:
    assert whole(filled(), Slo()).attained_low is None


@pytest.mark.parametrize(("slow_ttft", "slow_tpot", "low"), [(0, 0, 1.0), (6, 0, 0.9), (6, 6, 0.8), (60, 60, 0.0)])
def test_requests_that_missed_either_limit_may_be_different_ones(slow_ttft: int, slow_tpot: int, low: float) -> None:
    latencies = (
        histogram("ttft", (0.5,), 60 - slow_ttft, slow_ttft),
        histogram("tpot", (0.05,), 60 - slow_tpot, slow_tpot),
    )
    window = filled(histograms=())
    window.flow(flow(60, finished=0, histograms=latencies), SERVER, MODEL)
    assert whole(window).attained_low == pytest.approx(low)


def test_failed_requests_ended_and_were_not_good() -> None:
    window = filled()
    window.flow(flow(60, finished=0, failed=20, aborted=20, histograms=()), SERVER, MODEL)
    assert (whole(window).good_at_least, whole(window).ended_at_most) == (60, 100)


def test_a_model_whose_requests_cannot_be_judged_leaves_the_window_unjudged() -> None:
    window = filled()
    window.flow(flow(60, histograms=()), SERVER, "another")
    assert whole(window).attained_low is None


def test_windows_that_follow_make_one() -> None:
    halves, later = filled(range(1, 31)), filled(range(31, 61))
    halves.merge(later)
    assert closed(halves) == closed(filled())
    assert halves.models == [MODEL]


def test_a_server_that_changed_its_gpus_between_two_windows_has_no_longer_one() -> None:
    window, later = filled(range(1, 31)), Window(NOON_MS + 30_000)
    later.on(frozenset({12}))
    window.merge(later)
    assert not window.steady
