"""Turns: how long replay waits between two frames, while a key may come at any time."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

from tokwatch.feeds.clock import Clock

Job = TypeVar("Job")

_FRAME_S = 0.5  # faster than real time it is redrawn twice a second, however many ticks that skips


class Turns(Generic[Job]):
    """One turn after the other: what a key asked for, or the time that has passed."""

    def __init__(self, clock: Clock, jobs: asyncio.Queue[Job]) -> None:
        self._clock = clock
        self._jobs = jobs
        self._turned_ns: int | None = None  # when the last turn of a playing session began

    async def when_asked(self) -> Job:
        """The next key, however long it takes."""
        self._turned_ns = None
        return await self._jobs.get()

    async def at_pace(self, speed: float) -> Job | float:
        """The next key, or the milliseconds since the turn before when it is time for a frame."""
        now_ns = self._clock.now().boottime_ns
        before_ns = now_ns if self._turned_ns is None else self._turned_ns  # what a frame took to make has passed too
        frame_s = _FRAME_S if speed > 1 else 1.0 / speed
        spent_s = min((now_ns - before_ns) / 1e9, frame_s / 2)
        pause = asyncio.ensure_future(self._clock.sleep(frame_s - spent_s))
        key = asyncio.ensure_future(self._jobs.get())
        try:
            await asyncio.wait((pause, key), return_when=asyncio.FIRST_COMPLETED)
            if key.done():
                return key.result()
        finally:
            pause.cancel()
            key.cancel()
            self._turned_ns = self._clock.now().boottime_ns
        return (self._turned_ns - before_ns) / 1e6
