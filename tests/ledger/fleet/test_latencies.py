"""Latencies that hosts report: what a window observed, and unknown wherever that cannot be told."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ledger.fleet import reports
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.latencies import model_latencies
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.report import MOST, Hello, LatencyAbout, LatencyReport, Report
from tokwatch.ledger.fleet.tally import FleetTally, FlowTally, HostTally
from tokwatch.ledger.prices.book import PriceBook

EDGES = (0.1, 0.5)
TTFT = LatencyAbout(0, "qwen", "ttft", EDGES)
WINDOW_MS = 10_000


def hello(
    *latencies: LatencyAbout, run: str = "one", started_ms: int = 0, models: tuple[str, ...] = ("qwen",)
) -> Hello:
    return replace(reports.hello(run=run, started_ms=started_ms, models=models), latencies=latencies)


def report(at_s: float, *counts: tuple[int, ...], models: int = 1, watched_s: float | None = None) -> Report:
    """sum: 100 ms for each observation."""
    told = tuple(LatencyReport(each, 100 * sum(each)) for each in counts)
    return replace(reports.report(at_s, models=models, watched_s=watched_s), latencies=told)


def fed(*told: Hello | Report) -> FleetMeter:
    """What one host says, each when its own clock says so."""
    meter, at_ms = FleetMeter(), 0
    for each in told:
        if isinstance(each, Hello):
            meter.hello("h1", each, at_ms)
        else:
            at_ms = each.wall_ms
            meter.report("h1", each, at_ms)
    return meter


def observed(meter: FleetMeter, at_s: float, window_ms: int = WINDOW_MS) -> tuple[HistogramEntry, ...]:
    (host,) = meter.tally(round(1000 * at_s), window_ms)
    return tuple(entry for flow in host.flows for entry in flow.latencies)


def test_a_window_has_what_was_observed_in_it() -> None:
    meter = fed(hello(TTFT), report(100, (5, 5, 5)), report(101, (6, 8, 5)))
    assert observed(meter, 101) == (HistogramEntry("ttft", EDGES, (1, 3, 0), 400_000),)


def test_what_was_observed_before_the_window_is_not_in_it() -> None:
    seconds = [report(at_s, (at_s, 0, 0)) for at_s in range(100, 200)]
    assert [entry.counts for entry in observed(fed(hello(TTFT), *seconds), 199)] == [(14, 0, 0)]  # parts of 5 s


def test_the_first_report_of_a_run_that_was_there_before_is_a_baseline() -> None:
    assert observed(fed(hello(TTFT), report(100, (5, 5, 5))), 100) == ()


def test_nothing_observed_is_nothing_known() -> None:
    assert observed(fed(hello(TTFT), report(100, (5, 5, 5)), report(101, (5, 5, 5))), 101) == ()


def test_an_agent_that_began_anew_counts_from_zero() -> None:
    again = hello(TTFT, run="two", started_ms=102_000)
    meter = fed(hello(TTFT), report(100, (5, 5, 5)), report(101, (6, 5, 5)), again, report(103, (0, 2, 0), watched_s=1))
    assert [entry.counts for entry in observed(meter, 103)] == [(1, 2, 0)]


def test_counts_that_fell_within_a_run_tell_nothing_of_that_time() -> None:
    meter = fed(hello(TTFT), report(100, (5, 5, 5)), report(101, (9, 4, 5)))
    assert observed(meter, 101) == ()
    meter.report("h1", report(102, (9, 6, 5)), 102_000)
    assert [entry.counts for entry in observed(meter, 102)] == [(0, 2, 0)]


def test_other_buckets_are_another_histogram_which_begins_at_zero() -> None:
    other = hello(LatencyAbout(0, "qwen", "ttft", (1.0,)))
    meter = fed(hello(TTFT), report(100, (5, 5, 5)), report(101, (6, 5, 5)), other, report(102, (0, 3)))
    assert {(entry.edges, entry.counts) for entry in observed(meter, 102)} == {(EDGES, (1, 0, 0)), ((1.0,), (0, 3))}


def test_a_latency_that_was_away_begins_at_zero_as_its_agent_does() -> None:
    meter = fed(hello(TTFT), report(100, (5, 5, 5)), hello(), report(101), hello(TTFT), report(102, (1, 0, 0)))
    assert [entry.counts for entry in observed(meter, 102)] == [(1, 0, 0)]


def test_servers_of_one_model_are_added_up() -> None:
    both = hello(TTFT, replace(TTFT, server=1), models=("qwen", "qwen"))
    meter = fed(both, report(100, (0, 0, 0), (0, 0, 0), models=2), report(101, (1, 0, 0), (0, 2, 0), models=2))
    assert [entry.counts for entry in observed(meter, 101)] == [(1, 2, 0)]


def test_a_latency_that_is_announced_twice_counts_once() -> None:
    meter = fed(hello(TTFT, TTFT), report(100, (0, 0, 0), (0, 0, 0)), report(101, (1, 0, 0), (2, 0, 0)))
    assert [entry.counts for entry in observed(meter, 101)] == [(1, 0, 0)]


@pytest.mark.parametrize("edges", [(0.5, 0.1), (0.1, 0.1), (float("inf"),), (float("nan"),), (-1.0,)])
def test_buckets_that_no_latency_has_are_unknown_and_the_rest_of_the_host_is_not(edges: tuple[float, ...]) -> None:
    odd = tuple(0 for _ in (*edges, 0))
    meter = fed(hello(replace(TTFT, edges=edges)), report(100, odd), report(101, tuple(1 for _ in odd)))
    (host,) = meter.tally(101_000, WINDOW_MS)
    assert (observed(meter, 101), host.flows[0].running) == ((), 3)


@pytest.mark.parametrize("counts", [(), ((1, 2),), ((1, 2, 3), (1, 2, 3))])
def test_a_report_of_others_than_were_announced_is_refused(counts: tuple[tuple[int, ...], ...]) -> None:
    meter = fed(hello(TTFT), report(100, (0, 0, 0)))
    with pytest.raises(ValueError, match="latencies that do not fit"):
        meter.report("h1", report(101, *counts), 101_000)


def test_a_latency_of_a_server_that_is_not_announced_is_refused() -> None:
    with pytest.raises(ValueError, match="a latency of server 3 where 1 were announced"):
        fed(hello(replace(TTFT, server=3)))


def test_a_host_that_lies_of_run_after_run_is_left_out_in_the_end() -> None:
    meter = fed(hello(TTFT), report(1, (0, 0, 0)))
    for run in range(2, 5):
        at_ms = 1000 * run
        meter.hello("h1", hello(TTFT, run=str(run), started_ms=at_ms), at_ms)
        meter.report("h1", report(run, (MOST, 0, 0), watched_s=1), at_ms)
    assert observed(meter, 4) == ()


counts = st.lists(st.tuples(*[st.integers(0, 50)] * 3), min_size=2, max_size=12)


@given(counts)
def test_whatever_was_observed_is_in_the_window_bucket_by_bucket(gains: list[tuple[int, int, int]]) -> None:
    stands = [*accumulate(gains, lambda total, gain: (total[0] + gain[0], total[1] + gain[1], total[2] + gain[2]))]
    meter = fed(hello(TTFT), *(report(at_s, each) for at_s, each in enumerate(stands, 100)))
    window = tuple(last - first for first, last in zip(stands[0], stands[-1], strict=True))
    found = observed(meter, 100 + len(gains), window_ms=60_000)
    assert [entry.counts for entry in found] == ([window] if any(window) else [])


# --- over hosts -------------------------------------------------------------------------------------------------------


def host(name: str, *entries: HistogramEntry) -> HostTally:
    return HostTally(name, 1000, 1000, flows=(FlowTally("qwen", latencies=entries),))


def test_hosts_are_added_up_and_other_buckets_stay_apart() -> None:
    a = host("a", HistogramEntry("ttft", EDGES, (1, 2, 3), 10), HistogramEntry("tpot", EDGES, (1, 0, 0), 1))
    b = host("b", HistogramEntry("ttft", EDGES, (1, 0, 0), 5))
    c = host("c", HistogramEntry("ttft", (1.0,), (4, 0), 5))
    (model,) = model_latencies([a, b, c])
    assert model.histograms == (
        HistogramEntry("tpot", EDGES, (1, 0, 0), 1),
        HistogramEntry("ttft", EDGES, (2, 2, 3), 15),
        HistogramEntry("ttft", (1.0,), (4, 0), 5),
    )


def test_the_screens_tell_the_latencies_of_hosts_that_are_read_directly() -> None:
    hosts = (host("a", HistogramEntry("ttft", EDGES, (1, 97, 2), 10)),)
    snapshot = fleet_snapshot(FleetTally(1000, 1000, 1.0, "1 host", hosts), PriceBook())
    (model,) = snapshot.models
    assert (model.ttft_s.p95.low, model.ttft_s.p95.high, model.ttft_s.p95.n) == (0.1, 0.5, 100)
    assert snapshot.ttft_p95_s == model.ttft_s.p95
    assert model.tpot_s.p95.low is None
