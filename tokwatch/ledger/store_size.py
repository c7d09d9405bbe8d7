"""What a store has grown to, and what that is a day. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown

_DAY_S = 86_400.0
_LEAST_S = 3600.0  # before that most of a store is what every store begins with


@dataclass(frozen=True, slots=True)
class StoreSize:
    """used_bytes: of all that was recorded in recorded_s, at the level of detail that is left of it."""

    used_bytes: int
    recorded_s: float

    @property
    def bytes_a_day(self) -> Figure:
        """On average over everything recorded; unknown within the first hour."""
        if self.recorded_s < _LEAST_S:
            return unknown("known after an hour of recording")
        return Figure(self.used_bytes * _DAY_S / self.recorded_s)
