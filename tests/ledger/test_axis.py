"""The store's time: strictly increasing whatever the wall clock does, and back with it in the end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.readings import NOON_MS
from tokwatch.ledger.axis import Axis, clip_ms, next_tick_ms

HOUR_MS = 3_600_000


def ticks(steps: list[tuple[int, int]]) -> list[int]:
    """Store times of ticks given as (elapsed by the boot clock, wall clock)."""
    placed: list[int] = []
    for elapsed_ms, wall_ms in steps:
        placed.append(next_tick_ms(placed[-1] if placed else None, elapsed_ms, wall_ms))
    return placed


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 2 * NOON_MS)), min_size=2))
def test_it_increases_strictly_for_any_wall_clock(steps: list[tuple[int, int]]) -> None:
    placed = ticks(steps)
    assert all(later > earlier for earlier, later in pairwise(placed))


def test_it_is_the_wall_clock_while_that_runs_on() -> None:
    assert ticks([(1000, NOON_MS + second * 1000) for second in range(5)])[-1] == NOON_MS + 4000


def test_a_clock_stepped_forward_is_followed_at_once() -> None:
    assert ticks([(0, NOON_MS), (1000, NOON_MS + HOUR_MS)]) == [NOON_MS, NOON_MS + HOUR_MS]


def test_a_clock_stepped_back_is_waited_for_at_nine_tenths_of_the_pace() -> None:
    assert ticks([(0, NOON_MS), (1000, NOON_MS - HOUR_MS)]) == [NOON_MS, NOON_MS + 900]


def test_after_a_step_back_of_an_hour_both_meet_again_within_ten_hours() -> None:
    wall_ms, last_ms, seconds = NOON_MS - HOUR_MS, NOON_MS, 0
    while last_ms > wall_ms:
        seconds, wall_ms = seconds + 1, wall_ms + 1000
        last_ms = next_tick_ms(last_ms, 1000, wall_ms)
    assert last_ms == wall_ms
    assert seconds == 36_000


def test_two_ticks_in_one_millisecond_are_two_ticks() -> None:
    assert ticks([(0, NOON_MS), (0, NOON_MS), (0, NOON_MS)]) == [NOON_MS, NOON_MS + 1, NOON_MS + 2]


def test_ticks_shorter_than_a_second_keep_their_length() -> None:
    assert ticks([(0, NOON_MS), (100, NOON_MS + 100)]) == [NOON_MS, NOON_MS + 100]


def test_a_run_that_starts_before_the_stores_end_goes_on_after_it() -> None:
    assert next_tick_ms(NOON_MS, 0, NOON_MS - 5000) == NOON_MS + 1


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 10**15))
def test_lengths_are_those_of_the_boot_clock_whichever_tick_places_them(a: int, b: int, tick: int, now: int) -> None:
    placed = Axis(tick, now, wall_ms=0)
    assert placed.ms(b) - placed.ms(a) == b // 1_000_000 - a // 1_000_000
    assert placed.ms(now) == tick


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_a_clip_is_what_two_stretches_share(t0: int, t1: int, start: int, end: int) -> None:
    assert clip_ms(t0, t1, start, end) == len(set(range(t0, t1)) & set(range(start, end)))
