"""The state strip: one span a stretch of state, holes where nobody watched."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.entries import Flag, State
from tokwatch.ledger.strip import STRIP_MS, Strip


def test_entries_of_one_state_are_one_span() -> None:
    strip = Strip()
    for t1_ms, state in ((10, State.SERVING), (20, State.SERVING), (30, State.PARKED)):
        strip.add(t1_ms - 10, t1_ms, state, 0)
    assert strip.spans(30) == [(0, 20, State.SERVING), (20, 30, State.PARKED)]


def test_a_gap_and_a_first_reading_leave_a_hole() -> None:
    strip = Strip()
    strip.add(0, 10, State.SERVING, 0)
    strip.add(10, 50, State.SERVING, Flag.GAP)
    strip.add(50, 60, State.SERVING, 0)
    strip.add(70, 70, State.SERVING, Flag.BASELINE)
    strip.add(70, 80, State.SERVING, 0)
    assert strip.spans(80) == [(0, 10, State.SERVING), (50, 60, State.SERVING), (70, 80, State.SERVING)]


def test_a_strip_is_three_hours_long() -> None:
    strip = Strip()
    strip.add(0, 1000, State.PARKED, 0)
    strip.add(1000, 5000, State.SERVING, 0)
    now_ms = STRIP_MS + 2000
    strip.expire(now_ms)
    assert strip.spans(now_ms) == [(2000, 5000, State.SERVING)]


stretches = st.lists(
    st.tuples(
        st.integers(0, 5),  # unwatched before it
        st.integers(0, 10),
        st.sampled_from([State.SERVING, State.PARKED]),
        st.sampled_from([0, 0, 0, Flag.GAP]),
    ),
    max_size=30,
)


@given(stretches)
def test_spans_cover_exactly_what_was_watched_and_never_meet_in_one_state(
    stretches: list[tuple[int, int, State, int]],
) -> None:
    strip = Strip()
    now_ms, watched = 0, dict[int, State]()
    for hole_ms, length_ms, state, flags in stretches:
        t0_ms = now_ms + hole_ms
        now_ms = t0_ms + length_ms
        strip.add(t0_ms, now_ms, state, flags)
        if not flags:
            watched |= dict.fromkeys(range(t0_ms, now_ms), state)
    spans = strip.spans(now_ms)
    assert {at_ms: state for start, end, state in spans for at_ms in range(start, end)} == watched
    assert not any(a[1] == b[0] and a[2] == b[2] for a, b in pairwise(spans))
