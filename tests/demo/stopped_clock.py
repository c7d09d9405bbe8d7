"""A real clock that stands still: what the demo's clock is built upon in tests."""

from __future__ import annotations

import asyncio

from tokwatch.ledger.bookkeeper import Instant

AT = Instant(wall_ms=1_795_262_602_000, boottime_ns=77_000_000_000)


class StoppedClock:
    """Stands at `at` until a test moves it; who sleeps on it sleeps for good."""

    def __init__(self, at: Instant = AT) -> None:
        self.at = at

    def now(self) -> Instant:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()

    def advance(self, seconds: float) -> None:
        self.at = Instant(self.at.wall_ms + round(seconds * 1000), self.at.boottime_ns + round(seconds * 1e9))
