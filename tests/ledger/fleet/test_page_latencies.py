"""Histograms on pages: what each page added, and nothing of what cannot be followed."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.samples import FlowName, HistogramName, PageAbout, ServerName
from collectors.readings import Histogram
from tokwatch.ledger.fleet.page_latencies import PageLatencies
from tokwatch.ledger.fleet.report import LatencyAbout, LatencyReport

EDGES = (0.1, 0.5)
RANKS = tuple(HistogramName(0, "ttft", EDGES, f"engine={rank}") for rank in (0, 1))


def about(*names: HistogramName) -> PageAbout:
    return PageAbout("vllm", servers=(ServerName("box:8000", "vllm"),), flows=(FlowName(0, "qwen"),), histograms=names)


ONE, BOTH = about(RANKS[0]), about(*RANKS)


def stood(*counts: int) -> Histogram:
    """Of each bucket, each observation of half a second."""
    return Histogram(EDGES, tuple(accumulate(counts)), 0.5 * sum(counts))


def counts(latencies: PageLatencies) -> list[tuple[int, ...]]:
    return [report.counts for report in latencies.reports()]


def test_the_first_page_is_a_baseline_and_the_next_ones_add() -> None:
    latencies = PageLatencies()
    latencies.add(ONE, (stood(5, 5, 5),))
    assert latencies.reports() == (LatencyReport((0, 0, 0), 0),)
    latencies.add(ONE, (stood(6, 7, 5),))
    latencies.add(ONE, (stood(6, 8, 5),))
    assert latencies.reports() == (LatencyReport((1, 3, 0), 2000),)
    assert latencies.about(3) == (LatencyAbout(3, "qwen", "ttft", EDGES),)


def test_ranks_are_one_and_each_restarts_by_itself() -> None:
    latencies = PageLatencies()
    latencies.add(BOTH, (stood(5, 5, 5), stood(9, 9, 9)))
    latencies.add(BOTH, (stood(6, 5, 5), stood(0, 1, 0)))  # the second restarted: of this time nothing is known of it
    latencies.add(BOTH, (stood(6, 5, 5), stood(0, 3, 0)))
    assert counts(latencies) == [(1, 2, 0)]


def test_what_a_known_page_shows_for_the_first_time_counts_from_zero() -> None:
    latencies = PageLatencies()
    latencies.add(about(), ())
    latencies.add(ONE, (stood(0, 2, 0),))
    assert counts(latencies) == [(0, 2, 0)]


def test_a_histogram_that_could_not_be_read_at_first_is_a_baseline_later() -> None:
    latencies = PageLatencies()
    latencies.add(ONE, (None,))
    latencies.add(ONE, (stood(5, 5, 5),))
    latencies.add(ONE, (None,))
    latencies.add(ONE, (stood(5, 6, 5),))
    assert counts(latencies) == [(0, 1, 0)]


def test_a_page_that_was_written_while_its_counts_moved_adds_nothing() -> None:
    latencies = PageLatencies()
    latencies.add(ONE, (stood(5, 5, 5),))
    latencies.add(ONE, (Histogram(EDGES, (5, 12, 15), 8.0),))  # more in the second bucket than in all
    latencies.add(ONE, (Histogram(EDGES, (5, 12, 17), 8.0),))
    assert counts(latencies) == [(0, 0, 2)]


def test_other_buckets_are_another_histogram() -> None:
    newer = about(HistogramName(0, "ttft", (1.0,), "engine=0"))
    latencies = PageLatencies()
    latencies.add(ONE, (stood(5, 5, 5),))
    latencies.add(newer, (Histogram((1.0,), (2, 3), 1.0),))
    assert latencies.about(0) == (LatencyAbout(0, "qwen", "ttft", (1.0,)),)
    assert counts(latencies) == [(2, 1)]


def test_what_was_away_begins_at_zero_and_goes_on_from_where_it_stood() -> None:
    latencies = PageLatencies()
    latencies.add(ONE, (stood(5, 5, 5),))
    latencies.add(ONE, (stood(9, 5, 5),))
    latencies.add(about(), ())
    latencies.add(ONE, (stood(9, 6, 5),))
    assert counts(latencies) == [(0, 1, 0)]


def test_a_page_that_names_others_every_time_is_not_kept_and_makes_nothing_up() -> None:
    latencies = PageLatencies()
    latencies.add(ONE, (stood(5, 5, 5),))
    for place in range(2000):
        latencies.add(about(HistogramName(0, "ttft", EDGES, f"engine={place + 5}")), (stood(1, 0, 0),))
    before = counts(latencies)
    latencies.add(ONE, (stood(100, 5, 5),))
    assert counts(latencies) == before


@given(st.lists(st.tuples(*[st.integers(0, 100)] * 3), min_size=1, max_size=20))
def test_a_steady_process_loses_nothing(gains: list[tuple[int, int, int]]) -> None:
    latencies = PageLatencies()
    total = (0, 0, 0)
    latencies.add(ONE, (stood(*total),))
    for gain in gains:
        total = (total[0] + gain[0], total[1] + gain[1], total[2] + gain[2])
        latencies.add(ONE, (stood(*total),))
    assert counts(latencies) == [total]
