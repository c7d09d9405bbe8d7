"""How far a counter moved, sample by sample: the rule of the meter, where the edges of a quarter hour tell nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from tokwatch.ledger.entries import Flag

_CAN_BE: Final = 2.0**53  # DCGM writes 2^63 - 14 and the like for "no value"


class Increment(NamedTuple):
    """What a counter moved by in one quarter hour."""

    amount: float | None  # None: it was read for the first time, and nothing is known of before
    flags: int = 0

    def plus(self, other: Increment) -> Increment:
        """Of two counters that are added up."""
        known = [each.amount for each in (self, other) if each.amount is not None]
        return Increment(sum(known) if known else None, self.flags | other.flags)


def telescoped(previous: float | None, samples: Iterable[float], *, from_zero: bool = False) -> Increment:
    """The sum of what lies between samples; a fall is a restart from zero.

    previous: what it stood at before the first of them. from_zero: it was not there before though its page was read, so
    it began at zero. Neither: the first sample is where counting begins.
    """
    last = 0.0 if previous is None and from_zero else previous
    amount, flags = None if last is None else 0.0, 0
    for value in samples:
        if not 0 <= value < _CAN_BE:  # also what is not a number
            continue
        if last is None:
            flags |= Flag.BASELINE
        else:
            amount = (amount or 0.0) + (value - last if value >= last else value)
            flags |= Flag.RESET if value < last else 0
        last = value
    return Increment(amount, flags)
