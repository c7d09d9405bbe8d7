"""Time grids: the cells of a chart over the time before a moment, which stand still while time goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
SPANS_MS: Final = (10 * _MINUTE_MS, *(hours * _HOUR_MS for hours in (1, 3, 12, 24, 7 * 24)))
# Steps are whole multiples of what the store has rows of at such a length: seconds, minutes, quarter hours.
_GRAINS_MS: Final = ((3 * _HOUR_MS, 1000), (24 * _HOUR_MS, _MINUTE_MS), (7 * 24 * _HOUR_MS, 15 * _MINUTE_MS))


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """Two buckets a cell. Cells are counted from 1970: a time stays in its cell until all of them move by one."""

    from_ms: int
    step_ms: int  # of a bucket
    cells: int

    @property
    def buckets(self) -> int:
        return 2 * self.cells

    @property
    def to_ms(self) -> int:
        """The end of the newest cell, which may lie after the moment."""
        return self.from_ms + self.buckets * self.step_ms

    def complete(self, at_ms: int) -> int:
        """How many buckets are over at a moment."""
        return min(self.buckets, max(0, (at_ms - self.from_ms) // self.step_ms))


def time_grid(span_ms: int, cells: int, at_ms: int) -> TimeGrid:
    """At least span_ms, rounded up to round steps, until the end of the cell that a moment lies in."""
    grain_ms = next((grain for longest, grain in _GRAINS_MS if span_ms <= longest), _GRAINS_MS[-1][1])
    step_ms = -(-span_ms // (2 * cells * grain_ms)) * grain_ms
    newest = -(-at_ms // (2 * step_ms))
    return TimeGrid((newest - cells) * 2 * step_ms, step_ms, cells)
