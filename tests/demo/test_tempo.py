"""The busier an engine the slower its tokens, in a straight line of tokens a second and user."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.demo.tempo import STRETCH_S, Tempo
from tokwatch.demo.waves import Constant, Quantity

frees = st.floats(min_value=0.001, max_value=0.1)
growths = st.floats(min_value=1.001, max_value=50)
busy_shares = st.floats(min_value=0, max_value=1)


def _tempo(busy: float, free_s: float = 0.01, full_s: float = 0.05) -> Tempo:
    return Tempo(Quantity((Constant(busy),)), free_s, full_s)


def _tpot_s(tempo: Tempo) -> float:
    """The mean over requests that are shared out between the two nearest paces."""
    place = tempo.place(40.0, 40.0 + STRETCH_S)
    lower, slower = int(place), place % 1
    return (1 - slower) * tempo.tpot_s(lower) + (slower * tempo.tpot_s(lower + 1) if slower else 0.0)


@given(busy_shares, frees, growths)
def test_the_mean_time_per_token_is_exact_between_two_paces(busy: float, free_s: float, growth: float) -> None:
    full_s = free_s * growth
    per_s = (1 - busy) / free_s + busy / full_s
    assert _tpot_s(_tempo(busy, free_s, full_s)) == pytest.approx(1 / per_s, rel=1e-9)


@given(busy_shares, frees, growths)
def test_the_paces_reach_from_free_to_full(busy: float, free_s: float, growth: float) -> None:
    tempo = _tempo(busy, free_s, free_s * growth)
    assert tempo.tpot_s(0) == free_s
    assert tempo.tpot_s(tempo.paces() - 1) >= free_s * growth * (1 - 1e-9)
    assert 0 <= math.ceil(tempo.place(0.0, STRETCH_S)) < tempo.paces()


@pytest.mark.parametrize(("busy", "tpot_s"), [(-0.2, 0.01), (1.7, 0.05)])
def test_no_engine_is_faster_than_free_or_slower_than_full(busy: float, tpot_s: float) -> None:
    assert _tpot_s(_tempo(busy)) == pytest.approx(tpot_s)
