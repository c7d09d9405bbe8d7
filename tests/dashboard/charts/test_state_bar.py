"""The state bar: the state that holds longest in each cell, and what nobody watched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.state_bar import longest_states, put_states
from tokwatch.dashboard.theme import Look
from tokwatch.ledger.snapshot import StateSpan

SPANS = st.lists(
    st.tuples(st.integers(-500, 1500), st.integers(1, 900), st.sampled_from(("serving", "parked", "loading"))),
    max_size=6,
).map(lambda raw: tuple(StateSpan(start, start + length, state) for start, length, state in raw))


def drawn(spans: tuple[StateSpan, ...], from_ms: int, to_ms: int, cells: int, look: Look = Look()) -> str:  # noqa: B008
    line = Line(cells, look)
    put_states(line, 0, longest_states(spans, from_ms, to_ms, cells))
    return line.text()


def test_calm_is_thin_waste_is_thick_and_what_nobody_watched_is_dotted() -> None:
    spans = (StateSpan(0, 40, "serving"), StateSpan(40, 60, "parked"), StateSpan(60, 80, "unallocated"))
    assert drawn(spans, 0, 100, 10) == "━━━━▇▇▒▒··"


def test_without_colour_what_is_wrong_is_not_drawn_like_serving() -> None:
    spans = (StateSpan(0, 50, "serving"), StateSpan(50, 100, "saturated"))
    assert drawn(spans, 0, 100, 10) == "━━━━━━━━━━"
    assert drawn(spans, 0, 100, 10, Look(ascii_only=True)) == "=====!!!!!"


def test_a_cell_shows_what_holds_longest_in_it() -> None:
    spans = (StateSpan(0, 4, "serving"), StateSpan(4, 10, "parked"))
    assert longest_states(spans, 0, 10, 1) == ["parked"]


def test_several_stretches_of_one_state_in_a_cell_are_added_up() -> None:
    spans = (StateSpan(0, 3, "serving"), StateSpan(3, 7, "parked"), StateSpan(7, 10, "serving"))
    assert longest_states(spans, 0, 10, 1) == ["serving"]


@given(SPANS, st.integers(1, 1000), st.integers(1, 60))
def test_each_cell_agrees_with_counting_milliseconds(spans: tuple[StateSpan, ...], length: int, cells: int) -> None:
    found = longest_states(spans, 0, length, cells)
    assert len(found) == cells
    for cell, state in enumerate(found):
        inside = range(cell * length // cells, (cell + 1) * length // cells)
        held = {
            span.state: sum(
                len(range(max(inside.start, other.from_ms), min(inside.stop, other.to_ms)))
                for other in spans
                if other.state == span.state
            )
            for span in spans
        }
        assert (held[state] if state else 0) == max(held.values(), default=0)


def test_without_room_or_time_nothing_is_drawn() -> None:
    span = (StateSpan(0, 10, "parked"),)
    assert drawn(span, 0, 10, 0) == ""
    assert drawn(span, 5, 5, 4) == "    "
