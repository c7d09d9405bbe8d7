"""Bytes a second to the terminal."""

from __future__ import annotations

import pytest

from tokwatch.dashboard.wire import Wire


def test_the_first_seconds_say_nothing_of_later_ones() -> None:
    wire = Wire()
    assert [wire.take(at_s, 20_000 + 1000 * at_s) for at_s in range(10)] == [None] * 10


def test_it_is_the_mean_of_the_last_minute() -> None:
    wire = Wire()
    rates = [wire.take(float(at_s), 20_000 + 100 * at_s + 1000 * max(0, at_s - 100)) for at_s in range(200)]
    assert rates[50] == pytest.approx(100)
    assert rates[199] == pytest.approx(1100)


def test_seconds_without_a_frame_count() -> None:
    wire = Wire()
    wire.take(0.0, 0)
    assert wire.take(40.0, 400) == pytest.approx(10)
