"""The prices in force at a moment: what a screen needs of them beyond the Snapshot, which only tells their effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokwatch.feeds.history import History
    from tokwatch.ledger.prices.version import Prices


@dataclass(frozen=True, slots=True)
class PricesAt:
    """Of one moment."""

    at_ms: int

    def answer(self, past: History) -> Prices | None:
        """None where none were in force."""
        version = past.book.at(self.at_ms)
        return version.prices if version else None
