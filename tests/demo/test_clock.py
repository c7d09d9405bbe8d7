"""The simulated box's clocks run with the real ones, or are turned by hand."""

from __future__ import annotations

import asyncio

import pytest

from tests.demo.stopped_clock import AT, StoppedClock
from tokwatch.demo.clock import DemoClock
from tokwatch.ledger.bookkeeper import Instant


def test_it_runs_with_the_real_clock_from_its_age_on() -> None:
    real = StoppedClock()
    clock = DemoClock(real, age_s=100.0)
    assert (clock.now(), clock.now_s()) == (Instant(AT.wall_ms, 100 * 10**9), 100.0)
    real.advance(2.5)
    assert clock.now() == Instant(AT.wall_ms + 2500, 102_500_000_000)


def test_turned_back_it_tells_the_past_on_both_clocks_and_still_knows_the_live_instant() -> None:
    real = StoppedClock()
    clock = DemoClock(real, age_s=100.0)
    clock.turn_to(40 * 10**9)
    real.advance(1.0)
    assert clock.now() == Instant(AT.wall_ms - 60_000, 40 * 10**9)
    assert clock.live_ns() == 101 * 10**9
    clock.run()
    assert clock.now_s() == 101.0


async def test_a_sleeper_wakes_when_the_clock_is_turned_past_its_time() -> None:
    clock = DemoClock(StoppedClock(), age_s=100.0)
    clock.turn_to(0)
    woken: list[float] = []

    async def work() -> None:
        while True:
            await clock.sleep(10.0)
            woken.append(clock.now_s())

    task = asyncio.create_task(work())
    await clock.settled(1)
    for second in (5, 10, 19, 25):
        clock.turn_to(second * 10**9)
        await clock.settled(1)
    assert woken == [10.0, 25.0]
    task.cancel()
    await clock.settled(0)
    with pytest.raises(asyncio.CancelledError):
        await task
