"""Shares of minutes as time in states: the rule of the fleet, and time that adds up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.feeds.prometheus_quarters.states import Minutes, idle_share, state_ms
from tokwatch.ledger.entries import State

SHARES = st.none() | st.floats(0, 1)


@pytest.mark.parametrize(
    ("minutes", "states"),
    [
        (Minutes(quiet=0, held=1, at_work=1), {State.SERVING: 900}),
        (Minutes(quiet=1, held=1, at_work=0), {State.PARKED: 900}),
        (Minutes(quiet=1, held=1, at_work=None), {State.HELD: 900}),
        (Minutes(quiet=1, held=0, at_work=None), {State.UNALLOCATED: 900}),
        (Minutes(quiet=0, held=1, at_work=None), {State.OTHER_WORK: 900}),
        (Minutes(quiet=None, held=1, at_work=1), {State.BLIND: 900}),
        # Ranks of a model that is split may be quiet while their server works.
        (Minutes(quiet=1, held=1, at_work=1), {State.SERVING: 900}),
        # A model is loaded in the last third, and asked in the last sixth.
        (
            Minutes(quiet=5 / 6, held=1 / 3, at_work=1 / 6),
            {State.UNALLOCATED: 600, State.PARKED: 150, State.SERVING: 150},
        ),
    ],
)
def test_states_are_those_of_the_fleets_rule(minutes: Minutes, states: dict[State, int]) -> None:
    assert state_ms(minutes, 900) == states


@given(st.builds(Minutes, SHARES, SHARES, SHARES), st.integers(0, 900_000))
def test_states_add_up_to_the_observed_time(minutes: Minutes, observed_ms: int) -> None:
    found = state_ms(minutes, observed_ms)
    assert sum(found.values()) == observed_ms
    assert all(found.values())
    assert 0 <= idle_share(found, minutes) <= 1


def test_a_quiet_rank_of_a_working_server_is_not_idle() -> None:
    minutes = Minutes(quiet=0.5, held=1, at_work=0.75)
    assert state_ms(minutes, 800) == {State.SERVING: 600, State.PARKED: 200}
    assert idle_share(state_ms(minutes, 800), minutes) == 0.5
