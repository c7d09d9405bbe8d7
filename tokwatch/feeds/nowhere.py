"""A store that keeps nothing, for one answer."""

from __future__ import annotations

from tokwatch.ledger.entries import TickRecord


class Nowhere:
    """A RecordWriter: takes records and keeps none."""

    problem: str | None = None
    notice: str | None = None

    def submit(self, record: TickRecord) -> None:
        """Nothing to do."""
