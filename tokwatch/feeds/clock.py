"""The clock port: wall time, CLOCK_BOOTTIME and waiting, so that tests step the world themselves."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from collectors.readings import boottime_ns
from tokwatch.ledger.bookkeeper import Instant


class Clock(Protocol):
    """What the feeds know of time."""

    def now(self) -> Instant: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """This machine's clocks."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000, boottime_ns())

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
