"""The clocks of the simulated box: they run with this machine's, or are turned by hand through the box's past."""

from __future__ import annotations

import asyncio

from tokwatch.feeds.clock import Clock
from tokwatch.ledger.bookkeeper import Instant

_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000
_SETTLES_WITHIN_S = 30.0  # of real time; only a defect takes longer


class DemoClock:
    """A Clock whose CLOCK_BOOTTIME is the time axis of the scenario: the simulated box booted at its second 0."""

    def __init__(self, real: Clock, *, age_s: float) -> None:
        """age_s: how long ago, in this instant, the box booted."""
        self._real = real
        now = real.now()
        self._booted = Instant(now.wall_ms - round(age_s * 1000), now.boottime_ns - round(age_s * _NS_PER_S))
        self._stopped_ns: int | None = None
        self._sleepers: dict[asyncio.Future[None], int] = {}
        self._changed = asyncio.Event()

    @property
    def booted_wall_s(self) -> float:
        """Unix seconds of the scenario's second 0."""
        return self._booted.wall_ms / 1000

    def now(self) -> Instant:
        if self._stopped_ns is not None:
            return Instant(self._booted.wall_ms + self._stopped_ns // _NS_PER_MS, self._stopped_ns)
        return Instant(self._real.now().wall_ms, self.live_ns())

    def now_ns(self) -> int:
        return self.now().boottime_ns

    def now_s(self) -> float:
        """Second of the scenario."""
        return self.now_ns() / _NS_PER_S

    async def sleep(self, seconds: float) -> None:
        if self._stopped_ns is None:
            await self._real.sleep(seconds)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers[woken] = self._stopped_ns + round(seconds * _NS_PER_S)
        self._changed.set()
        try:
            await woken
        finally:
            self._sleepers.pop(woken, None)
            self._changed.set()

    def live_ns(self) -> int:
        """CLOCK_BOOTTIME of the box as if its clocks were running."""
        return self._real.now().boottime_ns - self._booted.boottime_ns

    # --- by hand --------------------------------------------------------------------------------------------------

    def turn_to(self, boottime_ns: int) -> None:
        """Stop the clocks at this instant, and wake who slept until then."""
        self._stopped_ns = boottime_ns
        for woken, until_ns in list(self._sleepers.items()):
            if until_ns <= boottime_ns:
                del self._sleepers[woken]
                if not woken.done():  # cancelled, and not yet gone
                    woken.set_result(None)

    def run(self) -> None:
        """Let the clocks run with the real ones. Nobody may be asleep."""
        self._stopped_ns = None

    async def settled(self, sleepers: int) -> None:
        """Return when exactly so many tasks sleep: what they do between two sleeps takes no time of this clock.

        Raises TimeoutError when they do not come to rest.
        """
        await asyncio.sleep(0)  # a task that was cancelled just now leaves first
        async with asyncio.timeout(_SETTLES_WITHIN_S):
            while len(self._sleepers) != sleepers:
                self._changed.clear()
                await self._changed.wait()
