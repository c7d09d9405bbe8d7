"""Counters that stand → increments: what a restart, a lost part of a sum and a late series mean."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import Histogram
from tests.ledger.readings import TTFT_EDGES, flow, ttft
from tokwatch.ledger.counters import (
    COUNTERS,
    MOST_KEPT,
    all_fell,
    counters_of,
    histogram_increment,
    increments,
    standing,
)

counts = st.dictionaries(st.sampled_from(COUNTERS), st.integers(0, 2**53))


def test_a_counter_that_is_not_on_the_page_is_not_among_the_counters() -> None:
    assert counters_of(flow(output_tokens=7, prompt_tokens=None)) == {"output_tokens": 7}


def test_a_counter_absent_before_counts_from_zero() -> None:
    assert increments({"output_tokens": 5}, {"output_tokens": 7, "finished": 3}, restarted=False) == (
        {"output_tokens": 2, "finished": 3},
        False,
    )


def test_after_a_restart_the_values_are_the_increments() -> None:
    assert increments({"output_tokens": 500}, {"output_tokens": 7}, restarted=True) == ({"output_tokens": 7}, False)


def test_a_counter_that_falls_in_one_incarnation_gained_an_unknown_amount_and_says_so() -> None:
    before, now = {"output_tokens": 500, "finished": 3}, {"output_tokens": 400, "finished": 4}
    assert increments(before, now, restarted=False) == ({"output_tokens": 0, "finished": 1}, True)


@given(counts, counts, st.booleans())
def test_no_increment_is_negative_or_of_a_counter_that_is_not_there(
    before: dict[str, int], now: dict[str, int], restarted: bool
) -> None:
    gained, _ = increments(before, now, restarted=restarted)
    assert gained.keys() == now.keys()
    assert all(0 <= gained[name] <= now[name] for name in gained)


# --- sums of ranks that restart by themselves -------------------------------------------------------------------------


def ranks(**values: int) -> dict[str, int]:
    return {f"output_tokens@{rank}": value for rank, value in values.items()}


def test_a_sum_is_told_by_its_parts() -> None:
    whole = flow(output_tokens=7, prompt_tokens=None, parts=(("output_tokens", (("a", 3), ("b", 4))),))
    assert counters_of(whole) == ranks(a=3, b=4)


def test_a_rank_that_restarts_counts_from_zero_and_the_others_go_on() -> None:
    assert increments(ranks(a=500, b=100), ranks(a=7, b=130), restarted=False) == ({"output_tokens": 7 + 30}, True)


def test_one_rank_that_fell_is_no_restart_of_the_server_and_all_of_them_are() -> None:
    assert not all_fell(ranks(a=500, b=100), ranks(a=7, b=130))
    assert all_fell(ranks(a=500, b=100, c=0), ranks(a=7, b=90, c=1))
    assert all_fell({"output_tokens": 500}, {"output_tokens": 7})


def test_a_rank_that_comes_later_counts_from_zero() -> None:
    assert increments(ranks(a=500), ranks(a=510, b=20), restarted=False) == ({"output_tokens": 30}, False)


def test_a_sum_that_is_told_by_ranks_only_now_goes_on_from_the_whole() -> None:
    """A second rank's series appears with its first request: until then the page had one series."""
    before, now = {"output_tokens": 500}, ranks(a=510, b=20)
    assert increments(before, now, restarted=False) == ({"output_tokens": 30}, False)
    assert standing(before, now) == now
    assert increments(now, {"output_tokens": 540}, restarted=False) == ({"output_tokens": 10}, False)


def test_a_rank_that_is_away_for_a_page_goes_on_where_it_was() -> None:
    stood = standing(ranks(a=500, b=100), ranks(a=510))
    assert stood == ranks(a=510, b=100)
    assert increments(stood, ranks(a=510, b=107), restarted=False) == ({"output_tokens": 7}, False)


# --- histograms -------------------------------------------------------------------------------------------------------


def test_a_histograms_increment_is_per_bucket() -> None:
    entry = histogram_increment("ttft", ttft(1, 2, 0, 0, sum_s=0.5), ttft(1, 4, 0, 3, sum_s=9.5))
    assert entry is not None
    assert (entry.edges, entry.counts, entry.sum_us) == (TTFT_EDGES, (0, 2, 0, 3), 9_000_000)


def test_a_histogram_seen_for_the_first_time_counts_from_zero() -> None:
    entry = histogram_increment("ttft", None, ttft(1, 2, 0, 0))
    assert entry is not None
    assert entry.counts == (1, 2, 0, 0)


def test_nothing_observed_is_no_entry() -> None:
    assert histogram_increment("ttft", ttft(1, 2, 0, 0), ttft(1, 2, 0, 0)) is None


def test_other_edges_and_counts_that_fell_cannot_be_compared() -> None:
    assert histogram_increment("ttft", Histogram((0.2,), (1, 2), 0.5), ttft(1, 2, 0, 0)) is None
    assert histogram_increment("ttft", ttft(5, 0, 0, 0), ttft(1, 9, 0, 0)) is None


def test_a_bucket_that_lost_to_the_one_before_it_cannot_be_compared() -> None:
    assert histogram_increment("ttft", ttft(1, 5, 0, 0), ttft(6, 2, 0, 0)) is None, "no cumulative count fell"
    assert histogram_increment("ttft", None, Histogram((0.2,), (3, 2), 0.5)) is None


@given(st.lists(st.lists(st.integers(0, 1000), min_size=4, max_size=4), min_size=1))
def test_histogram_increments_telescope(gained: list[list[int]]) -> None:
    total = [0, 0, 0, 0]
    before = ttft(*total, sum_s=0.0)
    counted = [0, 0, 0, 0]
    summed_us = 0
    for number, buckets in enumerate(gained, 1):
        total = [a + b for a, b in zip(total, buckets, strict=True)]
        now = ttft(*total, sum_s=number / 3)
        entry = histogram_increment("ttft", before, now)
        if entry is not None:
            counted = [a + b for a, b in zip(counted, entry.counts, strict=True)]
            summed_us += entry.sum_us
            before = now
    assert counted == total
    assert summed_us == round(before.sum * 1e6)


def test_ranks_that_are_new_on_every_page_are_not_kept_for_ever() -> None:
    stood: dict[str, int] = {}
    for page in range(20):
        stood = standing(stood, {f"output_tokens@rank={page}-{rank}": 1 for rank in range(MOST_KEPT // 4)})
    assert len(stood) <= MOST_KEPT
