"""Why a GPU's clocks were not at their highest, as parts of a stretch of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from collectors.nvml import throttle
from tokwatch.ledger.entries import Flag, GpuEntry

# Told of every GPU that tells any, so that one sees what there is to see.
_ALWAYS: Final = (
    throttle.IDLE,
    throttle.SOFTWARE_POWER_CAP,
    throttle.SOFTWARE_THERMAL,
    throttle.HARDWARE_THERMAL,
    throttle.HARDWARE_SLOWDOWN,
    throttle.POWER_BRAKE,
)


class Slowed(NamedTuple):
    """Why a GPU's clocks were not at their highest."""

    words: str
    share: float  # of the time that reasons were told in, 0..1
    alert: bool  # none that a healthy GPU shows


def reasons_over(entries: Iterable[GpuEntry]) -> tuple[Slowed, ...]:
    """Which part of the time each reason held, the usual ones also where that is 0; () where none is ever told."""
    told_ms, by_bit = 0, Counter(dict.fromkeys(_ALWAYS, 0))
    for entry in entries:
        if entry.throttle is not None and not entry.flags & Flag.GAP:
            length_ms = entry.t1_ms - entry.t0_ms
            told_ms += length_ms
            for place in range(entry.throttle.bit_length()):
                if entry.throttle >> place & 1:
                    by_bit[1 << place] += length_ms
    if not told_ms:
        return ()
    return tuple(
        Slowed(throttle.throttle_words(bit)[0], ms / told_ms, bool(bit & throttle.ALERTS)) for bit, ms in by_bit.items()
    )
