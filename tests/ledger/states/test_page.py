"""docs/states.md says what the code does: every state, its dwell, its class, its alert, and every key of `[states]`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ledger.states.gpu import LIMITS
from tokwatch.ledger.alerts.rules import STATE_RULES, StateRule
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Thresholds
from tokwatch.ledger.states.load_rules import LOAD_RULES

PAGE = (Path(__file__).parents[3] / "docs" / "states.md").read_text(encoding="utf-8")


def table(first: str) -> list[list[str]]:
    """The rows of the table whose first heading is `first`, as cells."""
    lines = PAGE[PAGE.index(f"| {first} |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


ROWS = {row[0]: row[1:] for row in table("state")}
RULES = {rule.state: rule for rule in STATE_RULES}


def words(state: State) -> str:
    return state.name.lower().replace("_", " ")


def alert(rule: StateRule | None) -> str:
    if rule is None:
        return "–"
    first = f"{rule.severity} after {rule.fire_after_s:g} s"
    return first if rule.warn_after_s is None else f"{first}, warning after {rule.warn_after_s:g} s"


def test_every_state_has_a_row_and_none_has_two() -> None:
    assert sorted(row[0] for row in table("state")) == sorted(map(words, State))


def test_the_rows_stand_in_the_order_in_which_they_are_tried() -> None:
    order = list(ROWS)
    tried = [State.LOST, State.BLIND, State.LOADING, State.STALLED, *(rule.state for rule in LOAD_RULES), State.SERVING]
    assert [name for name in order if name in map(words, tried)] == list(map(words, tried))


@pytest.mark.parametrize("state", State)
def test_its_dwell_its_class_and_its_alert_are_those_of_the_code(state: State) -> None:
    _, confirmed, left, kind, alerts = ROWS[words(state)]
    dwell_s, leaves_s = LIMITS.dwell_s(state), LIMITS.leaves_after_s(state)
    assert confirmed == (f"{dwell_s:g} s" if dwell_s else "–")
    assert f"for {leaves_s:g} s" in left or not leaves_s
    assert (kind == "idle") is state.idle
    assert alerts == alert(RULES.get(state))


def test_the_thresholds_of_the_table_are_those_of_the_code() -> None:
    shares = {
        State.THROTTLED: (LIMITS.throttled_share, LIMITS.throttled_leaves_at_share),
        State.SATURATED: (LIMITS.saturated_kv, LIMITS.saturated_leaves_at_kv),
        State.HELD: (LIMITS.idle_utilization, LIMITS.held_leaves_at_utilization),
        State.UNDERBATCHED: (LIMITS.underbatched_load, LIMITS.underbatched_leaves_at_load),
    }
    for state, (enters, leaves) in shares.items():
        begins, _, left, _, _ = ROWS[words(state)]
        assert f"{100 * enters:g} %" in begins
        assert f"{100 * leaves:g} %" in left


def test_every_key_of_the_config_is_there_with_its_default() -> None:
    told = {key.strip("`"): float(default) for key, default, _ in table("key")}
    assert told == {key: getattr(Thresholds(), key) for key in Thresholds.__struct_fields__}
