"""Ticks that were left out because those before them took too long, counted from the stored intervals."""

from __future__ import annotations

from tests.ledger.box import Box, work
from tests.ledger.readings import gpu


def _recorded(seconds: list[float]) -> float | None:
    box = Box()
    for second in seconds:
        box.turn(second, [gpu(round(second))], [work(round(second))])
    return box.snapshot().self_cost.late_ticks.value


def test_a_tick_a_second_leaves_none_out() -> None:
    assert _recorded([float(second) for second in range(30)]) == 0


def test_a_pause_of_four_seconds_left_three_out() -> None:
    assert _recorded([*map(float, range(10)), 13.0, 14.0]) == 3


def test_a_little_late_is_not_left_out() -> None:
    assert _recorded([0.0, 1.0, 2.3, 3.0]) == 0
