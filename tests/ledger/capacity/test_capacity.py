"""Capacity: of windows that met the SLO, of the trailing seven days; what was declared before what was learnt."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.capacity.points import DAY_MS, MINUTE_MS, five
from tests.ledger.readings import NOON_MS
from tokwatch.ledger.capacity.capacity import (
    HOUR_MS,
    NO_LOAD,
    NOTHING_LEARNT,
    TRAILING_MS,
    DeclaredCapacity,
    HourOfLoad,
    Load,
    declared,
    headroom_tok_s,
    hour_of,
    met,
    utilisation,
)
from tokwatch.ledger.capacity.operating_point import OperatingPoint

DAY = DAY_MS // MINUTE_MS


def k(window: OperatingPoint | None) -> float | None:
    return None if window is None else window.computed_tok_s_per_gpu


@pytest.mark.parametrize(
    ("good", "ended", "is_met"),
    [(99, 100, True), (98, 100, False), (30, 30, True), (29, 29, False), (0, 0, False), (None, 100, False)],
)
def test_a_window_counts_where_enough_requests_surely_met_the_target(
    good: int | None, ended: int, is_met: bool
) -> None:
    assert met(five(0, 100, good_at_least=good, ended_at_most=ended), 0.99) is is_met


def test_a_window_without_tokens_teaches_nothing() -> None:
    assert not met(five(0, 0, good_at_least=100, ended_at_most=100), 0.99)


def test_k_is_the_highest_five_minutes() -> None:
    learnt = NOTHING_LEARNT
    for minute, tok_s in ((0, 800), (5, 1_200), (10, 900)):
        learnt = learnt.with_window(five(minute, tok_s))
    assert k(learnt.best(NOON_MS + 15 * MINUTE_MS)) == 1_200


def test_a_lower_window_of_the_same_day_changes_nothing() -> None:
    learnt = NOTHING_LEARNT.with_window(five(0, 1_000))
    assert learnt.with_window(five(5, 900)) is learnt


def test_when_the_highest_is_seven_days_old_k_is_that_of_a_later_day() -> None:
    learnt = (
        NOTHING_LEARNT.with_window(five(0, 1_500)).with_window(five(2 * DAY, 1_100)).with_window(five(3 * DAY, 700))
    )
    old_ms = NOON_MS + 5 * MINUTE_MS + TRAILING_MS
    assert k(learnt.best(old_ms - 1)) == 1_500
    assert k(learnt.best(old_ms)) == 1_100
    assert learnt.best(old_ms + 3 * DAY_MS) is None


windows = st.lists(st.tuples(st.integers(1, 3 * DAY // 5), st.integers(1, 2_000)), max_size=40).map(
    lambda steps: [
        five(5 * minute, tok_s) for minute, (_, tok_s) in zip(accumulate(step for step, _ in steps), steps, strict=True)
    ]
)


@given(windows)
def test_k_is_that_of_a_window_of_the_last_seven_days_and_of_its_day_the_highest(seen: list[OperatingPoint]) -> None:
    learnt = NOTHING_LEARNT
    for window in seen:
        learnt = learnt.with_window(window)
        now_ms = window.to_ms
        best = learnt.best(now_ms)
        assert best in seen
        assert len(learnt.days) <= 8
        today = [each for each in seen if each.to_ms <= now_ms and (each.to_ms - 1) // DAY_MS == (now_ms - 1) // DAY_MS]
        assert best is not None
        assert best.computed_tok_s_per_gpu >= max(each.computed_tok_s_per_gpu for each in today)


# --- declared ---------------------------------------------------------------------------------------------------------

OF_MODEL = DeclaredCapacity(1_500, "own benchmark", model="Qwen3-32B")
OF_NAME = DeclaredCapacity(1_200, "with adapters", deployment="chat")


def test_a_declared_capacity_is_found_by_the_deployment_before_the_model() -> None:
    assert declared((OF_MODEL, OF_NAME), {"Qwen3-32B"}, {"chat"}) is OF_NAME
    assert declared((OF_MODEL, OF_NAME), {"Qwen3-32B"}, {""}) is OF_MODEL
    assert declared((OF_MODEL, OF_NAME), {"Llama-8B"}, {""}) is None


def test_a_model_s_capacity_says_nothing_of_gpus_that_several_models_share() -> None:
    assert declared((OF_MODEL,), {"Qwen3-32B", "Llama-8B"}, {""}) is None


# --- use --------------------------------------------------------------------------------------------------------------


def test_headroom_is_what_utilisation_leaves() -> None:
    assert utilisation(3_000, 1_500, 4) == 0.5
    assert headroom_tok_s(3_000, 1_500, 4) == 3_000
    assert headroom_tok_s(7_000, 1_500, 4) == -1_000


def hour(number: int, tokens: int, peak_tokens: int, read_ms: int = HOUR_MS) -> HourOfLoad:
    return HourOfLoad(NOON_MS + number * HOUR_MS, read_ms, tokens, peak_tokens, 300_000)


def test_the_load_factor_is_the_mean_over_the_highest_five_minutes() -> None:
    load = Load((hour(0, 3_600_000, 600_000), hour(1, 0, 0), hour(2, 3_600_000, 300_000)))
    assert load.factor == pytest.approx(2_400_000 / 3600 / 2_000)


def test_time_that_nobody_watched_is_not_in_the_mean() -> None:
    assert Load((hour(0, 300_000, 300_000, read_ms=300_000),)).factor == 1


def test_without_tokens_there_is_no_load_factor() -> None:
    assert NO_LOAD.factor is None
    assert Load((hour(0, 0, 0),)).factor is None


def test_only_the_last_day_of_hours_is_kept() -> None:
    load = Load(tuple(hour(number, 1, 1) for number in range(30)))
    trailing = load.trailing_day(NOON_MS + 30 * HOUR_MS)
    assert [each.from_ms for each in trailing.hours] == [NOON_MS + n * HOUR_MS for n in range(6, 30)]


def test_an_hour_adds_up_its_windows_and_keeps_the_highest() -> None:
    of = hour_of(five(0, 100)).with_window(five(5, 300)).with_window(five(10, 200))
    assert (of.from_ms, of.read_ms, of.tokens) == (NOON_MS, 900_000, 600 * 4 * 300)
    assert of.peak_tok_s == 1_200
