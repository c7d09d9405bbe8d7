"""Latencies out of cumulative buckets that were added up over servers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.answers import Vector
from collectors.prometheus.expressions import FIGURE
from tokwatch.feeds.fleet.prometheus_figures import Figures
from tokwatch.feeds.fleet.prometheus_latencies import latencies
from tokwatch.ledger.entries import HistogramEntry


def told(*rows: tuple[str, str, str, float]) -> Figures:
    """(figure, engine, le, value) of one model."""
    labels = tuple(
        {FIGURE: figure, "tw_model": "Qwen", "tw_engine": engine, "le": le} for figure, engine, le, _ in rows
    )
    found = Figures()
    found.add(Vector(labels, tuple(row[-1] for row in rows), 0.0))
    return found


def histogram(engine: str, counts: dict[str, float], servers: dict[str, float] | None = None) -> Figures:
    rows = [("ttft buckets", engine, le, count) for le, count in counts.items()]
    rows += [("ttft layout", engine, le, (servers or {}).get(le, 1.0)) for le in counts]
    return told(*rows, ("ttft sum", engine, "", 1.5))


def only(found: Figures, scales: dict[tuple[str, str], float] | None = None) -> HistogramEntry | None:
    entries = [entry for model in latencies(found, scales or {}) for entry in model.histograms]
    assert len(entries) <= 1
    return entries[0] if entries else None


def test_buckets_become_counts_of_their_own() -> None:
    found = histogram("vllm", {"0.1": 2, "0.5": 7, "+Inf": 9})
    assert only(found) == HistogramEntry("ttft", (0.1, 0.5), (2, 5, 2), 1_500_000)


def test_an_edge_that_not_all_servers_have_is_left_out() -> None:
    found = histogram("vllm", {"0.1": 2, "0.25": 3, "0.5": 14, "+Inf": 18}, {"0.25": 1, "0.1": 2, "0.5": 2, "+Inf": 2})
    assert only(found) == HistogramEntry("ttft", (0.1, 0.5), (2, 12, 4), 1_500_000)


def test_engines_are_added_up_by_the_edges_they_share() -> None:
    found = histogram("vllm", {"0.1": 2, "0.5": 7, "+Inf": 9})
    found.update(histogram("sglang", {"0.5": 1, "1.0": 2, "+Inf": 3}))
    assert only(found) == HistogramEntry("ttft", (0.5,), (8, 4), 3_000_000)


def test_a_page_in_milliseconds_is_read_in_seconds() -> None:
    found = histogram("triton", {"100": 2, "+Inf": 3})
    assert only(found, {("triton", "ttft"): 0.001}) == HistogramEntry("ttft", (0.1,), (2, 1), 1_500)


def test_a_routers_times_stand_where_its_workers_tell_none() -> None:
    router = histogram("dynamo", {"0.5": 5, "+Inf": 6})
    assert only(router) is not None
    router.update(histogram("vllm", {"0.5": 1, "+Inf": 1}))
    entry = only(router)
    assert entry is not None
    assert sum(entry.counts) == 1


def test_buckets_without_an_end_are_no_histogram() -> None:
    assert only(histogram("vllm", {"0.1": 2})) is None
    assert only(histogram("vllm", {"": 2, "many": 3})) is None


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_nothing_is_lost_between_the_buckets(counts: list[int]) -> None:
    running, cumulative = 0, {}
    for place, count in enumerate(counts):
        running += count
        cumulative[str(place + 1) if place < len(counts) - 1 else "+Inf"] = float(running)
    entry = only(histogram("vllm", cumulative))
    assert entry is not None
    assert entry.counts == tuple(counts)
