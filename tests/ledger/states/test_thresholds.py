"""The `[states]` of the config: what contradicts itself is refused, and every state finds its own times."""

from __future__ import annotations

import pytest

from tokwatch.config import ConfigError, parse
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Thresholds


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("throttled_leaves_at_share = 0.3", "throttled_leaves_at_share = 0.3 must not lie above throttled_share = 0.2"),
        ("saturated_kv = 0.8", "saturated_leaves_at_kv = 0.85 must not lie above saturated_kv = 0.8"),
        ("idle_utilization = 0.1", "held_leaves_at_utilization = 0.05 must not lie below idle_utilization = 0.1"),
        ("underbatched_load = 0.4", "underbatched_leaves_at_load = 0.35 must not lie below underbatched_load = 0.4"),
    ],
)
def test_a_state_that_is_left_more_easily_than_entered_is_refused(setting: str, words: str) -> None:
    with pytest.raises(ConfigError, match=f"config.toml:2: states: {words}"):
        parse(f"[states]\n{setting}\n", "config.toml")


def test_the_two_thresholds_of_a_state_may_be_one() -> None:
    assert parse("[states]\nunderbatched_leaves_at_load = 0.25", "config.toml").states.underbatched_load == 0.25


def test_times_are_found_by_the_states_name() -> None:
    limits = Thresholds(other_work_after_s=7, backlog_leaves_after_s=8)
    assert limits.dwell_s(State.OTHER_WORK) == 7
    assert limits.leaves_after_s(State.BACKLOG) == 8
    assert limits.dwell_s(State.SERVING) == limits.leaves_after_s(State.PARKED) == 0
