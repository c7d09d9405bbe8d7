"""Axes: round numbers and round times at which a chart has its ticks. Pure arithmetic, no drawing."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Final

_ENDS: Final = tuple(Decimal(step) for step in ("1", "1.5", "2", "3", "4", "5", "6", "8", "10"))
_STEPS: Final = tuple(Decimal(step) for step in ("1", "2", "5"))
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_PERIODS_MS: Final = tuple(
    minutes * _MINUTE_MS for minutes in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10_080, 43_200)
)


def ticks(top: float, most: int) -> tuple[float, ...]:
    """Round values from 0 up to at most `top`, evenly spaced by 1, 2 or 5 × 10ⁿ, at most `most` of them."""
    if most < 1 or top < 0:
        return ()
    if most == 1 or top == 0:
        return (0.0,)
    exact = Decimal(repr(top))  # in decimals 3 × 0.1 is 0.3, and a tick reads as it is written
    for exponent in count((exact / most).adjusted()):
        for step in _scaled(_STEPS, exponent):
            if (steps := int(exact / step)) < most:
                return tuple(float(number * step) for number in range(steps + 1))
    raise AssertionError("steps grow without end")


def round_up(top: float) -> float:
    """The next value of 1, 1.5, 2, 3, 4, 5, 6, 8 × 10ⁿ at or above `top`: where an axis may end. 1.0 for 0."""
    if top <= 0:
        return 1.0
    exact = Decimal(repr(top))
    return float(next(end for end in _scaled(_ENDS, exact.adjusted()) if end >= exact))


def time_ticks(from_ms: int, to_ms: int, utc_offset_s: int, most: int) -> tuple[int, ...]:
    """Unix ms of round local times in [from_ms, to_ms]: every 1, 5, 10, 15, 30 minutes, 1, 2, 3, 6, 12 hours, or days.

    At most `most` of them, as close together as that allows.
    """
    if most < 1 or to_ms < from_ms:
        return ()
    offset_ms = utc_offset_s * 1000
    first, last = from_ms + offset_ms, to_ms + offset_ms
    for period in _PERIODS_MS:
        numbers = range(-(-first // period), last // period + 1)
        if len(numbers) <= most:
            return tuple(number * period - offset_ms for number in numbers)
    return ()


def _scaled(steps: tuple[Decimal, ...], exponent: int) -> tuple[Decimal, ...]:
    return tuple(step.scaleb(exponent) for step in steps)
