"""Axes: round numbers and round times at which a chart has its ticks. Pure arithmetic, no drawing."""

from __future__ import annotations


def ticks(top: float, most: int) -> tuple[float, ...]:
    """Round values from 0 up to at most `top`, evenly spaced by 1, 2 or 5 × 10ⁿ, at most `most` of them."""
    raise NotImplementedError


def round_up(top: float) -> float:
    """The next value of 1, 1.5, 2, 3, 4, 5, 6, 8 × 10ⁿ at or above `top`: where an axis may end. 1.0 for 0."""
    raise NotImplementedError


def time_ticks(from_ms: int, to_ms: int, utc_offset_s: int, most: int) -> tuple[int, ...]:
    """Unix ms of round local times from from_ms to to_ms: every 1, 5, 10, 15, 30 minutes, 1, 2, 3, 6, 12 hours, or days."""
    raise NotImplementedError
