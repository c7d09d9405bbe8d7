"""The price book: which version holds when, through restatements and closed months."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.prices.book import MS_PER_HOUR, ClosedMonth, PriceBook, PriceVersion, cost
from tokwatch.ledger.prices.version import Prices


def version(number: int, from_ms: int, usd: float | None = 2.35) -> PriceVersion:
    return PriceVersion(number, from_ms, from_ms, "config", Prices(usd_per_gpu_hour=usd))


def restatement(number: int, from_ms: int, to_ms: int, usd: float | None = 1.99) -> PriceVersion:
    return PriceVersion(number, from_ms, 9999, "restated", Prices(usd_per_gpu_hour=usd), to_ms, "the invoice says so")


def ids(book: PriceBook, *at_ms: int) -> list[int | None]:
    """Which version holds at each instant."""
    return [found.id if (found := book.at(each)) else None for each in at_ms]


def drawn(spans: list[tuple[int, int | None]]) -> PriceBook:
    """Versions and restatements in the order they were recorded."""
    return PriceBook(
        tuple(
            version(number, start) if length is None else restatement(number, start, start + length)
            for number, (start, length) in enumerate(spans, 1)
        )
    )


books = st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(1, 20)), max_size=6).map(drawn)


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


def test_a_restatement_takes_the_place_of_what_held_in_its_range_and_both_stay() -> None:
    book = PriceBook((version(1, 100), version(2, 300), restatement(3, 200, 400)))
    assert ids(book, 199, 200, 399, 400) == [1, 3, 3, 2]
    assert len(book.versions) == 3
    assert [each.restates for each in book.versions] == [False, True, False]


def test_of_two_restatements_the_later_recorded_holds_where_both_reach() -> None:
    book = PriceBook((version(1, 0), restatement(2, 100, 300), restatement(3, 200, 250)))
    assert ids(book, 150, 200, 249, 250, 300) == [2, 3, 3, 2, 1]


def test_a_version_that_begins_within_a_restated_time_holds_after_it() -> None:
    book = PriceBook((version(1, 0), restatement(2, 100, 300), version(3, 200)))
    assert ids(book, 250, 300) == [2, 3]


def test_a_time_before_the_first_version_may_be_restated_too() -> None:
    assert ids(PriceBook((version(1, 300), restatement(2, 100, 200))), 99, 100, 200, 300) == [None, 2, None, 1]


OCTOBER = ClosedMonth("2026-10", 2, 1_793_600_000_000)
OCTOBER_MS, NOVEMBER_MS = 1_790_812_800_000, 1_793_491_200_000


def test_a_month_is_one_of_utc() -> None:
    assert OCTOBER.span_ms == (OCTOBER_MS, NOVEMBER_MS)
    assert ClosedMonth("2026-12", 0, 0).span_ms == (1_796_083_200_000, 1_798_761_600_000)


def test_what_is_recorded_after_a_month_was_closed_does_not_touch_it() -> None:
    before = (version(1, 0), restatement(2, OCTOBER_MS + 100, OCTOBER_MS + 200))
    late = (version(3, OCTOBER_MS - 50), restatement(4, OCTOBER_MS - 50, NOVEMBER_MS + 50))
    book = PriceBook((*before, *late), (OCTOBER,))
    at_ms = (OCTOBER_MS - 1, OCTOBER_MS, OCTOBER_MS + 150, NOVEMBER_MS - 1, NOVEMBER_MS, NOVEMBER_MS + 50)
    assert ids(book, *at_ms) == [4, 1, 2, 1, 4, 3]


def test_a_month_that_was_closed_without_a_price_has_none_for_ever() -> None:
    book = PriceBook((version(1, 0),), (ClosedMonth("2026-10", 0, 0),))
    assert ids(book, OCTOBER_MS - 1, OCTOBER_MS, NOVEMBER_MS - 1, NOVEMBER_MS) == [1, None, None, 1]


def test_a_range_that_reaches_into_a_closed_month_is_found() -> None:
    book = PriceBook((version(1, 0),), (OCTOBER,))
    assert book.closed_month(OCTOBER_MS - 10, OCTOBER_MS) is None
    assert book.closed_month(OCTOBER_MS - 10, OCTOBER_MS + 1) == OCTOBER
    assert book.closed_month(NOVEMBER_MS - 1, NOVEMBER_MS + 10) == OCTOBER
    assert book.closed_month(NOVEMBER_MS, NOVEMBER_MS + 10) is None


@given(books, st.integers(0, 50), st.integers(1, 20))
def test_restating_with_what_held_changes_no_price(book: PriceBook, from_ms: int, length_ms: int) -> None:
    number = len(book.versions)
    same = book
    for start, end, found in book.segments(from_ms, from_ms + length_ms):
        if found is not None:
            number += 1
            same = same.with_version(msgspec.structs.replace(restatement(number, start, end), prices=found.prices))
    for at_ms in range(90):
        before, after = book.at(at_ms), same.at(at_ms)
        assert (before and before.prices) == (after and after.prices)


def test_no_time_has_no_length() -> None:
    assert sum(end - start for start, end, _ in PriceBook().segments(5, 5)) == 0


def test_eight_gpus_parked_for_three_hours() -> None:
    assert sum(cost(2.35, 3 * MS_PER_HOUR) for _ in range(8)) == pytest.approx(56.40)


@given(st.floats(0, 1000), st.lists(st.integers(0, 10**9), max_size=20))
def test_cost_of_parts_is_cost_of_the_whole(rate: float, parts_ms: list[int]) -> None:
    assert sum(cost(rate, part) for part in parts_ms) == pytest.approx(cost(rate, sum(parts_ms)))
