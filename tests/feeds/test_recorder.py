"""When the recorder takes its ticks."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from tests.feeds.quiet_box import BOX, AdvancedClock, OneGpu
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
