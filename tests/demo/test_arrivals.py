"""Every request is decoded at one pace, and when one asks does not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.demo.arrivals import Arrivals
from tokwatch.demo.tempo import STRETCH_S, Tempo
from tokwatch.demo.waves import Quantity, parse_wave

BUSY = Quantity(tuple(map(parse_wave, ("0.5", "sine 0.4 300", "square 0 0.1 47 0.5"))))
TEMPO = Tempo(BUSY, 0.01, 0.05)
REQUESTS = Quantity(tuple(map(parse_wave, ("2.5", "sine 2 300", "segments 0:0 400:-0.5 500:0"))))
FEW = Quantity(tuple(map(parse_wave, ("0.06", "sine 0.05 300"))))  # most are on their way when a stretch ends
instants = st.floats(min_value=0.0, max_value=3000.0)
starts = st.floats(min_value=0.0, max_value=1000.0)


def _at_paces(arrivals: Arrivals, t_s: float) -> list[float]:
    return [arrivals.at_pace(pace, t_s) for pace in range(TEMPO.paces())]


@given(st.sampled_from((REQUESTS, FEW)), starts, instants)
def test_the_requests_of_all_paces_are_all_requests(requests_per_s: Quantity, since_s: float, t_s: float) -> None:
    arrivals = Arrivals(requests_per_s, TEMPO, since_s)
    assert sum(_at_paces(arrivals, t_s)) == pytest.approx(arrivals.until(t_s), abs=1e-6)


@given(st.sampled_from((REQUESTS, FEW)), starts, instants, st.floats(min_value=0.0, max_value=60.0))
def test_no_pace_loses_a_request(requests_per_s: Quantity, since_s: float, t_s: float, more_s: float) -> None:
    arrivals = Arrivals(requests_per_s, TEMPO, since_s)
    earlier, later = (_at_paces(arrivals, at_s) for at_s in (t_s, t_s + more_s))
    assert all(before <= after + 1e-9 for before, after in zip(earlier, later, strict=True))


@given(starts, st.integers(1, 100), st.floats(0.0, 1.0))
def test_no_pace_loses_the_request_that_is_on_its_way_when_a_stretch_ends(
    since_s: float, stretches: int, around_s: float
) -> None:
    arrivals = Arrivals(REQUESTS, TEMPO, since_s)
    end_s = since_s + stretches * STRETCH_S
    earlier, later = _at_paces(arrivals, end_s - around_s), _at_paces(arrivals, end_s + around_s)
    assert all(before <= after + 1e-9 for before, after in zip(earlier, later, strict=True))


@given(instants, st.lists(instants, max_size=3))
def test_what_was_asked_for_before_changes_nothing(t_s: float, before: list[float]) -> None:
    asked, unasked = Arrivals(REQUESTS, TEMPO, 0.0), Arrivals(REQUESTS, TEMPO, 0.0)
    for other_s in before:
        asked.until(other_s)
        asked.at_pace(2, other_s)
    assert _at_paces(asked, t_s) == _at_paces(unasked, t_s)


def test_whole_requests_are_shared_out_to_whole_requests() -> None:
    arrivals = Arrivals(Quantity((parse_wave("segments 0:1 30:0"),)), TEMPO, 0.0)
    rest = _at_paces(arrivals, 1000.0)
    assert sum(map(int, rest)) == 30


def test_a_request_before_the_process_is_none() -> None:
    arrivals = Arrivals(REQUESTS, TEMPO, 100.0)
    assert int(arrivals.until(50.0)) == 0
    assert [int(n) for n in _at_paces(arrivals, 50.0)] == [0] * TEMPO.paces()
