"""When the recorder takes its ticks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.feeds.quiet_box import BOX, NOON_MS, AdvancedClock, OneGpu
from tokwatch.config import Config
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import unrecorded
from tokwatch.ledger.entries import TickRecord


class Kept:
    """A store in memory."""

    problem: str | None = None
    notice: str | None = None

    def __init__(self) -> None:
        self.ticks_s: list[float] = []

    def submit(self, record: TickRecord) -> None:
        self.ticks_s.append(record.tick.boottime_ns / 1e9)


class Refusing(Kept):
    """It cannot hold the first record."""

    def submit(self, record: TickRecord) -> None:
        if not self.ticks_s:
            self.ticks_s.append(-1.0)
            raise ValueError("a number too large")
        super().submit(record)


async def test_a_tick_that_was_not_stored_is_told_with_its_time_for_ten_minutes() -> None:
    clock, kept = AdvancedClock(), Refusing()
    recorder = Recorder(OneGpu(clock), unrecorded(BOX, Config()).bookkeeper, kept, clock, interval_s=1.0)
    told: list[tuple[int, str]] = []
    for after_s in (1, 1, 599, 1, 1):
        clock.advance(after_s)
        events = (await recorder.turn()).events
        told += [
            (clock.now().boottime_ns // 10**9, event.body.decode()) for event in events if event.key == "lost tick"
        ]
    when = datetime.fromtimestamp((NOON_MS + 1000) / 1000, UTC).astimezone()
    words = f"the tick of {when:%H:%M:%S} was not stored: a number too large"
    assert [at_s for at_s, _ in told] == [2, 603]
    assert words in told[0][1]
    assert words not in told[1][1]


@pytest.mark.parametrize(("for_s", "ticks_s"), [(2.5, [0, 1, 2, 2.5]), (2.0, [0, 1, 2]), (0.4, [0, 0.4])])
async def test_the_last_tick_is_at_the_end_of_its_time(for_s: float, ticks_s: list[float]) -> None:
    clock, kept = AdvancedClock(), Kept()
    recorder = Recorder(OneGpu(clock), unrecorded(BOX, Config()).bookkeeper, kept, clock, interval_s=1.0)
    run = asyncio.create_task(recorder.run(asyncio.Event(), for_s=for_s))
    for before_s, at_s in pairwise(ticks_s):
        await clock.asleep(1)
        clock.advance(at_s - before_s)
    await run
    assert kept.ticks_s == ticks_s


async def test_a_late_turn_is_skipped_and_not_made_up_for() -> None:
    clock, kept = AdvancedClock(), Kept()
    recorder = Recorder(OneGpu(clock), unrecorded(BOX, Config()).bookkeeper, kept, clock, interval_s=1.0)
    run = asyncio.create_task(recorder.run(asyncio.Event(), for_s=6.0))
    for passed_s in (1.0, 2.5, 0.5, 1.0, 1.0):
        await clock.asleep(1)
        clock.advance(passed_s)
    await run
    assert kept.ticks_s == [0, 1, 3.5, 4, 5, 6]
