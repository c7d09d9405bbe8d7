"""Turns over an interval: evenly spread, and skipped when they are late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from collectors.fleet.lags import Lags
from collectors.fleet.wheel import MOST_LATE_S, Wheel


class Timers:
    """Time by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.due: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        self.due.append((when, callback))
        return cast("asyncio.TimerHandle", None)

    def run_to(self, at_s: float) -> None:
        while self.due and self.due[0][0] <= at_s:
            when, callback = self.due.pop(0)
            self.now_s = max(self.now_s, when)
            callback()
        self.now_s = at_s

    def away_to(self, at_s: float) -> None:
        """The loop did something else until then."""
        self.now_s = at_s
        _, callback = self.due.pop(0)
        callback()


class Turns:
    def __init__(self, hosts: int) -> None:
        self.taken: list[tuple[int, float]] = []
        self.timers = Timers()
        self.wheel = Wheel(range(hosts), self.take)
        self.wheel.start(self.timers)

    def take(self, hosts: Sequence[int], due: float) -> None:
        self.taken += [(host, round(due - 1000, 6)) for host in hosts]


def test_every_host_has_one_turn_a_second_at_its_own_time() -> None:
    turns = Turns(4)
    turns.timers.run_to(1001.99)
    assert turns.taken == [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75), (0, 1.0), (1, 1.25), (2, 1.5), (3, 1.75)]


def test_many_hosts_are_spread_over_the_second() -> None:
    turns = Turns(2000)
    turns.timers.run_to(1000.995)
    parts = [due for _, due in turns.taken]
    assert len(parts) == 2000
    assert max(parts.count(due) for due in set(parts)) == 20


def test_what_is_a_little_late_is_made_up_for_part_by_part_so_that_answers_are_read_in_between() -> None:
    turns = Turns(2000)
    turns.timers.run_to(1000.055)
    taken, away_s = len(turns.taken), 1000.055 + MOST_LATE_S - 0.02
    turns.timers.away_to(away_s)
    assert len(turns.taken) == taken + 20
    turns.timers.run_to(away_s)
    assert [host for host, _ in turns.taken] == list(range(29 * 20))
    assert turns.wheel.skipped == 0


def test_what_is_too_late_is_skipped_and_never_made_up_for() -> None:
    turns = Turns(10)
    turns.timers.run_to(1000.05)
    turns.timers.away_to(1003.051)
    assert [host for host, _ in turns.taken] == [0]
    assert turns.wheel.skipped == 30
    turns.timers.run_to(1003.5)
    assert turns.taken[1:] == [(1, 3.1), (2, 3.2), (3, 3.3), (4, 3.4), (5, 3.5)]


def test_a_days_sleep_takes_no_time_to_skip() -> None:
    turns = Turns(10)
    turns.timers.run_to(1000.0)
    turns.timers.away_to(1000.0 + 86_400)
    assert turns.wheel.skipped > 863_000


def test_lags_are_told_to_the_millisecond_above_and_forgotten_after_two_stretches() -> None:
    lags = Lags()
    assert lags.quantile_ms(0.5) is None
    for ms in range(100):
        lags.add((ms + 0.5) / 1000)
    assert (lags.quantile_ms(0.5), lags.quantile_ms(0.99), lags.quantile_ms(1.0)) == (50, 99, 100)
    lags.turn()
    assert lags.count == 100
    lags.turn()
    assert lags.count == 0


def test_a_lag_beyond_all_bounds_is_counted_as_the_longest() -> None:
    lags = Lags()
    lags.add(3600.0)
    assert lags.quantile_ms(0.99) == 2001
