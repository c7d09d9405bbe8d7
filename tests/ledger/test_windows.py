"""Sliding windows and buckets: sums that equal adding up everything anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.windows import Buckets, Grown, HistogramWindow, Window

WIDTH_MS = 60

amounts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2**60), st.integers(0, 1000)), max_size=40)


def placed(steps: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Steps of time as instants, in order."""
    at_ms, entries = 0, []
    for step_ms, first, second in steps:
        at_ms += step_ms
        entries.append((at_ms, first, second))
    return entries


@given(amounts, st.integers(0, 200))
def test_a_window_holds_what_ended_after_its_edge_up_to_now(steps: list[tuple[int, int, int]], later_ms: int) -> None:
    window = Window(WIDTH_MS, 2)
    entries = placed(steps)
    now_ms = 0
    for now_ms, first, second in entries:
        window.add(now_ms, (first, second))
        window.expire(now_ms)
    now_ms += later_ms
    window.expire(now_ms)
    inside = [(first, second) for t1_ms, first, second in entries if now_ms - WIDTH_MS < t1_ms <= now_ms]
    assert window.sums == [sum(first for first, _ in inside), sum(second for _, second in inside)]


observations = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["ttft", "tpot"]),
        st.sampled_from([(0.1,), (0.2,)]),
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
    ),
    max_size=40,
)


@given(observations, st.integers(0, 200))
def test_a_histogram_window_sums_each_layout_and_forgets_it_when_empty(
    steps: list[tuple[int, str, tuple[float, ...], tuple[int, int]]], later_ms: int
) -> None:
    window = HistogramWindow(WIDTH_MS)
    now_ms = 0
    for step_ms, name, edges, counts in steps:
        now_ms += step_ms
        window.add(now_ms, HistogramEntry(name, edges, counts, 0))
        window.expire(now_ms)
    last_ms = now_ms
    now_ms += later_ms
    window.expire(now_ms)
    at_ms = 0
    expected: dict[tuple[str, tuple[float, ...]], list[int]] = {}
    for step_ms, name, edges, counts in steps:
        at_ms += step_ms
        if at_ms > now_ms - WIDTH_MS and any(counts):
            before = expected.setdefault((name, edges), [0, 0])
            expected[name, edges] = [a + b for a, b in zip(before, counts, strict=True)]
    assert at_ms == last_ms
    found = {(name, edges): counts for name in ("ttft", "tpot") for edges, counts in window.named(name)}
    assert found == expected


def test_buckets_are_aligned_so_the_picture_does_not_crawl() -> None:
    buckets = Buckets(10, 3)
    for t1_ms in range(1, 31):
        buckets.add(t1_ms - 1, t1_ms, t1_ms)
    assert buckets.rates(30) == [5.5, 15.5, 25.5]
    assert buckets.rates(40) == [15.5, 25.5, None]


def test_a_bucket_that_is_still_filling_is_not_drawn() -> None:
    buckets = Buckets(10, 3)
    for t1_ms in range(1, 35):
        buckets.add(t1_ms - 1, t1_ms, t1_ms)
        buckets.expire(t1_ms)
    assert buckets.rates(34) == [5.5, 15.5, 25.5]


def test_a_bucket_nobody_watched_is_unknown_and_one_without_amount_is_zero() -> None:
    buckets = Buckets(10, 3)
    buckets.add(0, 10, 0)
    buckets.add(20, 30, 5)
    assert buckets.rates(30) == [0.0, None, 0.5]


def test_an_entry_is_spread_over_the_stretches_it_lies_in() -> None:
    buckets = Buckets(10, 4)
    buckets.add(5, 35, 60)
    assert buckets.rates(40) == [2.0, 2.0, 2.0, 2.0]


def test_an_entry_without_a_length_is_in_no_bucket() -> None:
    buckets = Buckets(10, 2)
    buckets.add(15, 15, 60)
    assert buckets.rates(20) == [None, None]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1000)), max_size=30))
def test_buckets_add_up_to_what_came_in_them(steps: list[tuple[int, int]]) -> None:
    buckets = Buckets(10, 200)
    now_ms = came = 0
    for length_ms, amount in steps:
        buckets.add(now_ms, now_ms + length_ms, amount)
        now_ms += length_ms
        came += amount if length_ms else 0
    end_ms = -(-now_ms // 10) * 10
    rates = buckets.rates(end_ms)
    covered_ms = [max(0, min(now_ms, (k + 1) * 10) - k * 10) for k in range(end_ms // 10 - 200, end_ms // 10)]
    drawn = sum((rate or 0) * length for rate, length in zip(rates, covered_ms, strict=True))
    assert drawn == pytest.approx(came, abs=1e-3)


# --- what grew between two instants -----------------------------------------------------------------------------------


def grown(*entries: tuple[int, int, int]) -> Grown:
    """From (t1_ms, amount, known_ms)."""
    made = Grown(1000)
    for t1_ms, amount, known_ms in entries:
        made.add(t1_ms, amount, known_ms)
    return made


def test_between_the_ends_of_entries_they_are_added_up() -> None:
    assert grown((10, 5, 10), (20, 7, 10), (30, 9, 10)).between(0, 20) == (12, 20)
    assert grown((10, 5, 10), (20, 7, 10), (30, 9, 10)).between(10, 30) == (16, 20)


def test_an_end_inside_an_entry_takes_its_part_by_time() -> None:
    assert grown((10, 100, 10), (20, 200, 10)).between(5, 18) == (50 + 160, 13)
    assert grown((10, 100, 10)).between(2, 5) == (30, 3)


def test_what_nobody_measured_is_known_for_no_time() -> None:
    assert grown((10, 100, 10), (40, 300, 10)).between(0, 40) == (400, 20)
    assert grown((10, 100, 10), (40, 300, 10)).between(10, 30) == (0, 0)
    assert grown().between(0, 10) == (0, 0)


def test_an_amount_without_a_length_is_nowhere() -> None:
    assert grown((10, 100, 0)).between(0, 20) == (0, 0)


def test_entries_that_overlap_on_a_slowed_axis_lose_nothing() -> None:
    assert grown((10, 100, 10), (19, 200, 10), (28, 300, 10)).between(0, 28) == (600, 30)
    assert grown((10, 100, 10), (19, 200, 10)).between(0, 10) == (100 + 20, 10 + 1)


growing = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1000), st.integers(1, 30)), min_size=1, max_size=30)
instants = st.tuples(st.integers(-10, 700), st.integers(-10, 700), st.integers(-10, 700)).map(sorted)


@given(growing, instants)
def test_two_stretches_make_one_but_for_what_their_common_end_rounds(
    steps: list[tuple[int, int, int]], cuts: list[int]
) -> None:
    made, at_ms = Grown(10_000), 0
    for pause_ms, amount, length_ms in steps:
        at_ms += pause_ms + length_ms
        made.add(at_ms, amount, length_ms)
    first, cut, last = cuts
    whole, before, after = made.between(first, last), made.between(first, cut), made.between(cut, last)
    assert 0 <= whole[0] - before[0] - after[0] <= 1
    assert whole[1] == before[1] + after[1]


@given(growing, st.integers(0, 700))
def test_what_is_forgotten_changes_nothing_after_it(steps: list[tuple[int, int, int]], now_ms: int) -> None:
    kept, fresh, at_ms = Grown(100), Grown(100), 0
    for pause_ms, amount, length_ms in steps:
        at_ms += pause_ms + length_ms
        kept.add(at_ms, amount, length_ms)
        if at_ms > now_ms - 100:
            fresh.add(at_ms, amount, length_ms)
    kept.expire(now_ms)
    for from_ms in range(now_ms - 110, now_ms, 7):
        assert kept.between(from_ms, now_ms) == fresh.between(from_ms, now_ms)
