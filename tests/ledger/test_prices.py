"""The price book: which price holds when and for which GPU, and what follows from it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.prices.book import MS_PER_HOUR, PriceBook, PriceVersion, cost
from tokwatch.ledger.prices.version import Prices


def version(number: int, from_ms: int, usd: float | None = 2.35) -> PriceVersion:
    return PriceVersion(number, from_ms, from_ms, "config", Prices(usd_per_gpu_hour=usd))


books = st.lists(st.integers(0, 50), max_size=6).map(
    lambda starts: PriceBook(tuple(version(number, start) for number, start in enumerate(starts, 1)))
)


def test_a_version_holds_from_its_beginning_until_the_next() -> None:
    book = PriceBook((version(2, 200), version(1, 100)))
    found = [book.at(at_ms) for at_ms in (99, 100, 199, 200, 9999)]
    assert [each.id if each else None for each in found] == [None, 1, 1, 2, 2]


def test_of_two_with_the_same_beginning_the_later_recorded_holds() -> None:
    found = PriceBook((version(1, 100), version(2, 100))).at(100)
    assert found is not None
    assert found.id == 2


def test_a_book_with_one_version_more_is_another_book() -> None:
    book = PriceBook((version(1, 100),))
    assert [each.id for each in book.with_version(version(2, 50)).versions] == [2, 1]
    assert len(book.versions) == 1


@given(books, st.integers(0, 50), st.integers(1, 50))
def test_segments_partition_the_time_and_hold_the_version_of_each_instant(
    book: PriceBook, from_ms: int, length_ms: int
) -> None:
    to_ms = from_ms + length_ms
    segments = list(book.segments(from_ms, to_ms))
    assert segments[0][0] == from_ms
    assert segments[-1][1] == to_ms
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(segments))
    for start, end, found in segments:
        assert start < end
        assert all(book.at(at_ms) == found for at_ms in range(start, end))


def test_no_time_has_no_length() -> None:
    assert sum(end - start for start, end, _ in PriceBook().segments(5, 5)) == 0


@pytest.mark.parametrize(
    ("uuid", "name", "price"),
    [("GPU-a", "NVIDIA H100", 1.0), ("GPU-b", "NVIDIA H100", 2.0), ("GPU-b", "NVIDIA L4", 3.0), (None, None, 3.0)],
)
def test_a_gpus_own_price_beats_its_models_and_that_the_general_one(
    uuid: str | None, name: str | None, price: float
) -> None:
    prices = Prices(usd_per_gpu_hour=3.0, gpu={"GPU-a": 1.0, "NVIDIA H100": 2.0})
    assert prices.rate(uuid, name) == price


def test_a_price_of_nothing_is_a_price_and_none_is_unknown() -> None:
    assert Prices(usd_per_gpu_hour=3.0, gpu={"GPU-a": 0.0}).rate("GPU-a", None) == 0.0
    assert Prices(gpu={"GPU-a": 1.0}).rate("GPU-b", "NVIDIA H100") is None


def test_eight_gpus_parked_for_three_hours() -> None:
    assert sum(cost(2.35, 3 * MS_PER_HOUR) for _ in range(8)) == pytest.approx(56.40)


@given(st.floats(0, 1000), st.lists(st.integers(0, 10**9), max_size=20))
def test_cost_of_parts_is_cost_of_the_whole(rate: float, parts_ms: list[int]) -> None:
    assert sum(cost(rate, part) for part in parts_ms) == pytest.approx(cost(rate, sum(parts_ms)))
