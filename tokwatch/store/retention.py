"""How long each level of the store is kept: numbers only. Quarter hours, prices and what happened are kept for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Retention:
    """Ages beyond which a level's rows go, counted from a tick, of imported runs from the import.

    Raises ValueError for ages out of order: nothing finer may outlive what it is rolled up into.
    """

    raw_ms: int = 24 * HOUR_MS  # then ticks are sealed into chunks
    history_ms: int = 30 * DAY_MS  # then chunks go
    minutes_ms: int = 90 * DAY_MS  # then minute rows go, and what was measured of capacity
    size_bytes: int | None = None  # the whole store; None: as large as it gets

    def __post_init__(self) -> None:
        if not 0 < self.raw_ms <= self.history_ms <= self.minutes_ms:
            raise ValueError("a retention needs 0 < raw_ms <= history_ms <= minutes_ms")
        if self.size_bytes is not None and self.size_bytes <= 0:
            raise ValueError("size_bytes of a retention must be positive")
