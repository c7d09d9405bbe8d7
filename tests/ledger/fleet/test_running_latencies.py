"""Running latencies: the sums of a run's observations, by server and model, each request once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.entries import Entity, Flag, FlowEntry, HistogramEntry
from tokwatch.ledger.fleet.latency_totals import LatencyTotal
from tokwatch.ledger.fleet.running_latencies import RunningLatencies, Whose
from tokwatch.ledger.registry import flow_key

EDGES = (0.1, 0.5)
QWEN = Whose(3, "qwen")


def flow(number: int = 5, model: str = "qwen", tenant: str = "") -> Entity:
    return Entity(number, "flow", "box", flow_key(3, model, "", tenant, ""), 3, 0)


def entry(*histograms: HistogramEntry, flags: int = 0) -> FlowEntry:
    return FlowEntry(5, 0, 1000, *(None,) * 7, histograms, flags)


def ttft(*counts: int, edges: tuple[float, ...] = EDGES, sum_us: int = 10, name: str = "ttft") -> HistogramEntry:
    return HistogramEntry(name, edges, counts, sum_us)


def test_tenants_are_added_up_and_models_are_not() -> None:
    latencies = RunningLatencies()
    latencies.add(flow(tenant="a"), entry(ttft(1, 2, 3)))
    latencies.add(flow(tenant="b"), entry(ttft(1, 0, 0)))
    latencies.add(flow(model="llama"), entry(ttft(0, 0, 1)))
    assert latencies.totals == {
        (QWEN, "ttft"): LatencyTotal(EDGES, (2, 2, 3), 20),
        (Whose(3, "llama"), "ttft"): LatencyTotal(EDGES, (0, 0, 1), 10),
    }


def test_a_request_that_is_counted_at_another_server_is_timed_there() -> None:
    latencies = RunningLatencies()
    latencies.add(flow(), entry(ttft(1, 2, 3), flags=Flag.OUTPUT_ELSEWHERE.value))
    assert latencies.totals == {}


def test_other_buckets_begin_at_zero() -> None:
    latencies = RunningLatencies()
    latencies.add(flow(), entry(ttft(1, 2, 3)))
    latencies.add(flow(), entry(ttft(1, 2, edges=(1.0,))))
    assert latencies.totals == {(QWEN, "ttft"): LatencyTotal((1.0,), (1, 2), 10)}


def test_what_no_line_and_no_page_has_is_not_kept() -> None:
    latencies = RunningLatencies()
    latencies.add(flow(), entry(ttft(1, 2, 3, name="prompt_length"), ttft(1, 2, 3, edges=(-1.0, 1.0))))
    assert latencies.totals == {}


def test_what_is_gone_is_forgotten() -> None:
    latencies = RunningLatencies()
    latencies.add(flow(), entry(ttft(1, 2, 3)))
    latencies.keep({3: 0})
    assert len(latencies.totals) == 1
    latencies.keep({})
    assert latencies.totals == {}


@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3, st.integers(-5, 50)), max_size=20))
def test_totals_never_fall(gains: list[tuple[int, int, int, int]]) -> None:
    latencies = RunningLatencies()
    latencies.add(flow(), entry(ttft(0, 0, 0, sum_us=0)))
    for *counts, sum_us in gains:
        before = latencies.totals[QWEN, "ttft"]
        latencies.add(flow(), entry(ttft(*counts, sum_us=sum_us)))
        after = latencies.totals[QWEN, "ttft"]
        assert all(one <= other for one, other in zip(before.counts, after.counts, strict=True))
        assert before.sum_us <= after.sum_us
