"""The tick at which a state of one GPU was first seen: where to go to look at its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tokwatch.feeds.history import History

_WITHIN_MS: Final = 600_000  # the first entry of a state ends at the next tick, and ticks are minutes apart at most


@dataclass(frozen=True, slots=True)
class GpuSince:
    """since_ms: as in GpuRow."""

    entity: int
    since_ms: int

    def answer(self, past: History) -> int:
        """tick_ms of the first entry that begins then or later; since_ms where its records are gone."""
        records = past.reader.records(past.ids, self.since_ms, self.since_ms + _WITHIN_MS, (self.entity,))
        first = (record.tick.tick_ms for record in records for entry in record.gpus if entry.t0_ms >= self.since_ms)
        return next(first, self.since_ms)
