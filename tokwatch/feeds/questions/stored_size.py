"""How large the store is, and for how much time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokwatch.ledger.store_size import StoreSize

if TYPE_CHECKING:
    from tokwatch.feeds.history import History


@dataclass(frozen=True, slots=True)
class StoredSize:
    """Of the whole file: every host and run in it."""

    def answer(self, past: History) -> StoreSize:
        """Time that nobody recorded in is left out."""
        from tokwatch.store.sessions import sessions  # in the asking thread: the screen opens without it

        spans = [session.to_ms - session.from_ms for session in sessions(past.reader) if not session.named]
        return StoreSize(past.reader.used_bytes(), sum(spans) / 1000)
