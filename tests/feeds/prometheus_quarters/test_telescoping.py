"""Counters followed sample by sample: what lies between samples, a restart, a birth, a first sight."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.feeds.prometheus_quarters.telescoping import telescoped
from tokwatch.ledger.entries import Flag

COUNTS = st.lists(st.integers(0, 2**40).map(float), max_size=30)


def test_a_fall_is_a_restart_from_zero() -> None:
    moved = telescoped(100, [110, 7, 9])
    assert (moved.amount, moved.flags) == (10 + 7 + 2, Flag.RESET)


def test_what_was_never_read_before_begins_with_its_first_sample() -> None:
    moved = telescoped(None, [500, 520])
    assert (moved.amount, moved.flags) == (20, Flag.BASELINE)
    assert telescoped(None, [500]).amount is None


def test_what_appears_on_a_page_that_was_read_began_at_zero() -> None:
    assert telescoped(None, [3, 5], from_zero=True).amount == 5


def test_no_sample_is_no_movement() -> None:
    assert telescoped(100, []).amount == 0
    assert telescoped(None, []).amount is None


def test_numbers_that_mean_no_value_are_passed_over() -> None:
    assert telescoped(100, [110, 2.0**63 - 14, float("nan"), 130]).amount == 30


@given(COUNTS, COUNTS)
def test_quarter_hours_add_up_to_the_day(first: list[float], second: list[float]) -> None:
    whole = telescoped(0, [*first, *second]).amount
    parts = telescoped(0, first).plus(telescoped(first[-1] if first else 0, second))
    assert parts.amount == whole
