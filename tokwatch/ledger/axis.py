"""The store's time axis: intervals come from CLOCK_BOOTTIME, the wall clock only places them."""

from __future__ import annotations

from dataclasses import dataclass

NS_PER_MS = 1_000_000

# While the wall clock is behind the store's time (it was stepped back), the store's time runs this much slower until
# the two meet again. Standing still instead (last + 1 each tick) would squeeze an hour of ticks into one window;
# running at full pace would leave the store ahead of the clock for ever. Ratios do not notice: every entry carries
# its own true length.
_SLEW = 0.9


@dataclass(frozen=True, slots=True)
class Axis:
    """The instant of one tick, on all clocks."""

    tick_ms: int  # the store's own time
    boottime_ns: int
    wall_ms: int  # Unix milliseconds; differs from tick_ms while a clock stepped back is being waited for

    def ms(self, at_ns: int) -> int:
        """Store time of an instant of CLOCK_BOOTTIME. Whole milliseconds are counted on the boot clock, so that
        differences between instants are the same whichever tick places them."""
        return self.tick_ms - (self.boottime_ns // NS_PER_MS - at_ns // NS_PER_MS)


def next_tick_ms(last_tick_ms: int | None, elapsed_ms: int, wall_ms: int) -> int:
    """The store's time of the next tick: the wall clock when it is ahead, else slowed down, never backwards.

    elapsed_ms is the time since the last tick by CLOCK_BOOTTIME; ignored when there was none.
    """
    if last_tick_ms is None or wall_ms >= last_tick_ms + elapsed_ms:
        return wall_ms if last_tick_ms is None else max(wall_ms, last_tick_ms + 1)
    return max(wall_ms, last_tick_ms + max(1, int(elapsed_ms * _SLEW)))


def clip_ms(t0_ms: int, t1_ms: int, from_ms: int, to_ms: int) -> int:
    """Length of the part of (t0, t1] that lies in (from, to], milliseconds, never negative."""
    return max(0, min(t1_ms, to_ms) - max(t0_ms, from_ms))
