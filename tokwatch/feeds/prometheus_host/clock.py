"""The clock of a recording that is fed through a Prometheus: its server's time, and at first an hour late."""

from __future__ import annotations

from tokwatch.feeds.clock import Clock
from tokwatch.ledger.axis import NS_PER_MS
from tokwatch.ledger.bookkeeper import Instant


class PrometheusClock:
    """Wall time is the server's, by which samples are timed: a step of either machine's clock moves nothing.

    It begins `behind_ms` in the past. While it is further behind than `lag_ms`, which the server hides of the newest
    samples, whoever sleeps by it wakes at once: so a recorder goes through the past as fast as the past is answered,
    and is live when it has caught up.
    """

    def __init__(self, base: Clock, *, ahead_ms: int, behind_ms: int = 0, lag_ms: int = 0) -> None:
        """ahead_ms: the server's Unix time less CLOCK_BOOTTIME here, milliseconds."""
        self._base = base
        self.ahead_ms = ahead_ms
        self._lag_ms = lag_ms
        self._behind_ms = max(behind_ms, lag_ms)

    @property
    def newest_ms(self) -> int:
        """Up to when the server shows samples, by its own clock."""
        return self._base.now().boottime_ns // NS_PER_MS + self.ahead_ms - self._lag_ms

    @property
    def offset_ns(self) -> int:
        """CLOCK_BOOTTIME here less the server's Unix time."""
        return -self.ahead_ms * NS_PER_MS

    def now(self) -> Instant:
        boottime_ns = self._base.now().boottime_ns - self._behind_ms * NS_PER_MS
        return Instant(boottime_ns // NS_PER_MS + self.ahead_ms, boottime_ns)

    async def sleep(self, seconds: float) -> None:
        skipped_ms = max(0, min(round(seconds * 1000), self._behind_ms - self._lag_ms))
        self._behind_ms -= skipped_ms
        await self._base.sleep(max(0.0, seconds - skipped_ms / 1000))

    @property
    def is_behind(self) -> bool:
        """Whether the past is still gone through."""
        return self._behind_ms > self._lag_ms

    def skip_to(self, wall_ms: int) -> None:
        """Leave out the past up to then."""
        self._behind_ms = max(self._lag_ms, self._behind_ms - max(0, wall_ms - self.now().wall_ms))
