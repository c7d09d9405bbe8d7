"""The smallest box that can be recorded: one GPU, a clock that is advanced by hand, and how to record a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from collectors.readings import GpuFacts, GpuReading
from tokwatch.config import Config
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import Begun, Box, begin
from tokwatch.ledger.bookkeeper import Instant, Sightings

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC
BOX = Box("dgx-03", "boot-1", "UTC")
GPU = GpuFacts(0, "GPU-1", "NVIDIA H100 80GB HBM3", driver_version="580.82.07", power_limit_w=700.0)


class AdvancedClock:
    """A Clock whose sleepers wake when it is advanced. `step_wall` is somebody setting the wall clock."""

    def __init__(self, wall_ms: int = NOON_MS) -> None:
        self._wall_ms = wall_ms
        self._boottime_ms = 0
        self._sleepers: dict[asyncio.Future[None], float] = {}
        self._changed = asyncio.Event()

    def now(self) -> Instant:
        return Instant(self._wall_ms, self._boottime_ms * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[woken] = self._boottime_ms + seconds * 1000
        self._changed.set()
        try:
            await woken
        finally:
            self._sleepers.pop(woken, None)

    async def asleep(self, count: int) -> None:
        """Return when so many tasks sleep: what they had to do is done."""
        async with asyncio.timeout(20):
            while len(self._sleepers) < count:
                self._changed.clear()
                await self._changed.wait()

    def advance(self, seconds: float) -> None:
        self._wall_ms += round(seconds * 1000)
        self._boottime_ms += round(seconds * 1000)
        for woken, until_ms in list(self._sleepers.items()):
            if until_ms <= self._boottime_ms and not woken.done():
                del self._sleepers[woken]
                woken.set_result(None)

    def step_wall(self, seconds: float) -> None:
        self._wall_ms += round(seconds * 1000)


class OneGpu:
    """A Seer: one GPU without a process that draws 100 W. `fails`: raised at the next look."""

    def __init__(self, clock: AdvancedClock) -> None:
        self._clock = clock
        self.fails: Exception | None = None
        self.problems: tuple[tuple[str, str], ...] = ()
        self.closed = False

    async def see(self) -> Sightings:
        if self.fails is not None:
            raise self.fails
        at_ns = self._clock.now().boottime_ns
        reading = GpuReading(
            GPU,
            at_ns,
            power_w=100.0,
            energy_mj=at_ns // 10_000,
            utilization=0.0,
            memory_used_bytes=0,
            processes=(),
        )
        return Sightings(gpus=(reading,), problems=self.problems)

    async def close(self) -> None:
        self.closed = True


def begun_at(
    store: Path, clock: AdvancedClock, *, price: float | None = None, on_commit: Callable[[int], None] | None = None
) -> Begun:
    """A run begun in the store now."""
    return begin(store, BOX, Config(), price=price, started_ms=clock.now().wall_ms, on_commit=on_commit)


async def record_ticks(store: Path, clock: AdvancedClock, count: int, *, price: float | None = None) -> list[int]:
    """Record a run of so many ticks, a second apart; their tick_ms."""
    begun = await asyncio.to_thread(begun_at, store, clock, price=price)
    recorder = Recorder(OneGpu(clock), begun.bookkeeper, begun.writer, clock, interval_s=1.0)
    ticks = []
    for _ in range(count):
        clock.advance(1.0)
        ticks.append((await recorder.turn()).tick.tick_ms)
    assert await asyncio.to_thread(begun.writer.close, 10.0)
    return ticks
