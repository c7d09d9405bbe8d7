"""Prompts by length: requests exactly, tokens and good requests between bounds that the sums allow."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.demand import MILLIONTHS, LengthBucket, by_prompt_length
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.slo import Between, Good

EDGES = (100.0, 1_000.0, 10_000.0)


def lengths(*counts: int, tokens: int, edges: tuple[float, ...] = EDGES) -> HistogramEntry:
    return HistogramEntry("prompt_length", edges, counts, tokens * MILLIONTHS)


def test_requests_are_exact_and_tokens_between_the_edges() -> None:
    short, long = by_prompt_length([lengths(10, 5, 0, 0, tokens=3_000)])
    assert (short.above, short.up_to, short.requests) == (0, 100, 10)
    assert (short.tokens_at_least, short.tokens_at_most) == (0, 1_000)
    assert (long.above, long.up_to, long.requests) == (100, 1_000, 5)
    assert (long.tokens_at_least, long.tokens_at_most) == (2_000, 3_000)


def test_tokens_of_one_bucket_alone_are_the_sum() -> None:
    (only,) = by_prompt_length([lengths(0, 0, 0, 3, tokens=90_000)])
    assert (only.up_to, only.tokens_at_least, only.tokens_at_most) == (None, 90_000, 90_000)


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=50))
def test_the_bounds_hold_for_any_prompts(prompts: list[int]) -> None:
    inside: list[list[int]] = [[], [], [], []]
    for prompt in prompts:
        inside[sum(prompt > edge for edge in EDGES)].append(prompt)
    found = by_prompt_length([lengths(*map(len, inside), tokens=sum(prompts))])
    for bucket, of in zip(found, (each for each in inside if each), strict=True):
        assert bucket.requests == len(of)
        assert bucket.tokens_at_least <= sum(of) <= bucket.tokens_at_most
        assert bucket.tokens_at_most <= sum(prompts)


def test_the_same_buckets_of_several_flows_are_added() -> None:
    assert by_prompt_length([lengths(1, 0, 0, 0, tokens=50), lengths(1, 0, 0, 0, tokens=70)]) == by_prompt_length(
        [lengths(2, 0, 0, 0, tokens=120)]
    )


def test_of_other_buckets_those_with_most_requests_are_told() -> None:
    few = lengths(1, 0, tokens=5, edges=(8.0,))
    assert [each.requests for each in by_prompt_length([few, lengths(9, 0, 0, 0, tokens=90)])] == [9]


def test_a_sum_that_no_counts_allow_does_not_turn_bounds_round() -> None:
    for bucket in by_prompt_length([lengths(1, 1, 0, 0, tokens=1)]):
        assert bucket.tokens_at_least <= bucket.tokens_at_most


def test_without_lengths_there_are_no_buckets() -> None:
    assert by_prompt_length([]) == ()
    assert by_prompt_length([HistogramEntry("ttft", (0.1,), (5, 0), 0)]) == ()


def test_good_requests_of_a_bucket_are_known_between_bounds() -> None:
    good = Good(Between(95, 95, None), 100, 100)
    large, small = by_prompt_length([lengths(90, 10, 0, 0, tokens=9_000)], good)
    assert (large.good_at_least, large.good_at_most) == (85, 90)
    assert (small.good_at_least, small.good_at_most) == (5, 10)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=60))
def test_those_bounds_hold_whichever_requests_were_good(requests: list[tuple[int, bool]]) -> None:
    counts = [sum(bucket == n for bucket, _ in requests) for n in range(4)]
    number = sum(good for _, good in requests)
    good = Good(Between(number, number, None), len(requests), len(requests))
    tokens = sum(count * size for count, size in zip(counts, (50, 500, 5_000, 50_000), strict=True))
    found = iter(by_prompt_length([lengths(*counts, tokens=tokens)], good))
    for n, count in enumerate(counts):
        if count:
            bucket = next(found)
            of = sum(is_good for which, is_good in requests if which == n)
            assert (bucket.good_at_least or 0) <= of <= (bucket.good_at_most or 0)


def test_the_cost_of_a_bucket_is_that_of_its_prompts() -> None:
    bucket = LengthBucket(0, 100, 10, 2_000_000, 4_000_000)
    assert bucket.usd(0.5) == (1.0, 2.0)
    assert bucket.usd(None) is None


def test_buckets_follow_each_other() -> None:
    found = by_prompt_length([lengths(1, 1, 1, 1, tokens=50_000)])
    assert [each.up_to for each in found] == [*EDGES, None]
    assert list(accumulate(each.requests for each in found)) == [1, 2, 3, 4]
