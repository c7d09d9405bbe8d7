"""Why one GPU's clocks were not at their highest, over the hour before a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tokwatch.ledger.entries import GpuEntry
from tokwatch.ledger.throttling import Slowed, reasons_over

if TYPE_CHECKING:
    from tokwatch.feeds.history import History

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class GpuReasons:
    """The hour that ends at end_ms."""

    entity: int
    end_ms: int

    def answer(self, past: History) -> tuple[Slowed, ...]:
        """() where nothing tells."""
        return reasons_over(gpu_entries(past, self.entity, self.end_ms - HOUR_MS, self.end_ms))


def gpu_entries(past: History, entity: int, from_ms: int, to_ms: int) -> Iterator[GpuEntry]:
    """Of one GPU, of the ticks in (from_ms, to_ms]."""
    for record in past.reader.records(past.ids, from_ms, to_ms, (entity,)):
        yield from record.gpus
