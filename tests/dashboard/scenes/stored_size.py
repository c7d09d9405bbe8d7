"""The store of the box: eleven days of it."""

from __future__ import annotations

from tokwatch.feeds.questions.stored_size import StoredSize
from tokwatch.ledger.store_size import StoreSize


def stored_size(_: StoredSize) -> StoreSize:
    return StoreSize(used_bytes=262_000_000, recorded_s=11 * 86_400.0)
