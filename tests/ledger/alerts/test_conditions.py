"""The condition language: what it takes, what it refuses, and three answers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.alerts.conditions import Bounds, Condition, ConditionError, FigureName, parse_condition

INF = math.inf


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("usd_per_m_output > 0.80", Condition(FigureName("usd_per_m_output"), ">", 0.8)),
        ("idle_usd_per_h>=5", Condition(FigureName("idle_usd_per_hour"), ">=", 5)),
        (" tok_s  <  -1.5 ", Condition(FigureName("tok_s"), "<", -1.5)),
        ("power_w{gpu=3} > 650", Condition(FigureName("power_w", "gpu", "3"), ">", 650)),
        ('tok_s{ model = "org/Qwen3 32B" } != 0', Condition(FigureName("tok_s", "model", "org/Qwen3 32B"), "!=", 0)),
        ("waiting{server=127.0.0.1:8000} == 0", Condition(FigureName("waiting", "server", "127.0.0.1:8000"), "==", 0)),
        ("cost.total{deployment=prod} <= 10", Condition(FigureName("cost.total", "deployment", "prod"), "<=", 10)),
    ],
)
def test_a_condition_is_a_figure_a_comparison_and_a_number(text: str, condition: Condition) -> None:
    assert parse_condition(text) == condition
    assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tok_s",
        "tok_s >",
        "tok_s >> 1",
        "tok_s > 1e3",
        "tok_s > 80%",
        "tok_s > 1 and power_w > 2",
        "1 < tok_s",
        "__import__('os') > 1",
        "tok_s > idle",
        "tok_s\n> 1; rm -rf /",
        'tok_s{model="a"b"} > 1',
        "tok_s{rack=1} > 1",
        "tok_s{gpu=GPU-1} > 1",
        'tok_s{model=""} > 1',
        "tok_s > ١",
    ],
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        found = parse_condition(text)
    except ConditionError:
        return
    assert parse_condition(str(found)).figure == found.figure


def holds(text: str, *readings: Bounds | None) -> bool | None:
    return parse_condition(text).holds(readings)


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        (">", False, False, True),
        (">=", False, True, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_a_known_number_is_compared(comparison: str, below: bool, equal: bool, above: bool) -> None:
    found = [holds(f"tok_s {comparison} 5", Bounds(value, value)) for value in (4, 5, 6)]
    assert found == [below, equal, above]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("slo_met < 0.95", None),
        ("slo_met < 0.99", True),
        ("slo_met < 0.9", False),
        ("slo_met == 0.95", None),
        ("slo_met == 0.5", False),
        ("slo_met != 0.5", True),
    ],
)
def test_between_bounds_the_answer_may_not_be_known(text: str, answer: bool | None) -> None:
    assert holds(text, Bounds(0.92, 0.97)) is answer


def test_a_cost_without_tokens_is_above_every_limit() -> None:
    assert holds("usd_per_m_output > 1000000", Bounds(INF, INF)) is True


def test_unknown_is_not_false() -> None:
    assert holds("tok_s > 1", None) is None
    assert holds("tok_s > 1") is None


def test_of_several_one_is_enough_and_all_must_be_known_not_to_hold() -> None:
    high, low = Bounds(9, 9), Bounds(1, 1)
    assert holds("tok_s > 5", low, None, high) is True
    assert holds("tok_s > 5", low, None) is None
    assert holds("tok_s > 5", low, low) is False


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10), st.sampled_from([">", ">=", "<", "<=", "==", "!="]))
def test_bounds_decide_only_what_every_number_between_them_agrees_on(
    first: float, second: float, value: float, comparison: str
) -> None:
    condition = Condition(FigureName("tok_s"), comparison, 5)
    low, high = sorted((first, second))
    answer = condition.holds([Bounds(low, high)])
    if answer is not None and low <= value <= high:
        assert condition.holds([Bounds(value, value)]) is answer
