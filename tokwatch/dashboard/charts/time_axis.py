"""Time axis: the row of round times below a plot."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.axis import time_ticks

_LABEL: Final = 12  # cells that a time takes with the room around it
_DAY_MS: Final = 86_400_000


def put_times(line: Line, x: int, cells: int, from_ms: int, to_ms: int, utc_offset_s: int, end: str) -> None:
    """Round local times in the `cells` from `x` that stand for (from_ms, to_ms], each at its own cell; `end` at the
    right end. A midnight is written as its date."""
    if cells < len(end) or to_ms <= from_ms:
        return
    right = x + cells - len(end)
    line.put(right, end, "quiet")
    ticks = time_ticks(from_ms, to_ms, utc_offset_s, max(1, cells // _LABEL))
    daily = any(after - before >= _DAY_MS for before, after in pairwise(ticks))
    for at_ms in ticks:
        column = x + (at_ms - from_ms) * cells // (to_ms - from_ms)
        local = formats.local(at_ms, utc_offset_s)
        label = f"{local:%d %b}" if daily or (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
        if column + len(label) + 2 <= right:
            line.put(column, label, "quiet")
