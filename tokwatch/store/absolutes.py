"""Which counters as they stood are kept for ever: the decision, not the rows.

They are kept where increments stop telescoping or start, and once a window of ten minutes, so that what lies between
two of them can be checked, and what was pruned still has its ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tokwatch.ledger.entries import Absolute, Flag, TickRecord
from tokwatch.store.rows import entries_of
from tokwatch.store.sealed import WINDOW_MS

_KEPT: Final = (Flag.BASELINE | Flag.RESET | Flag.GAP | Flag.SUSPECT).value


@dataclass(frozen=True, slots=True)
class Standing:
    """What the last tick left: its window, and the entities that had counters."""

    window: int
    entities: frozenset[int]


def standing(record: TickRecord) -> Standing:
    """After this tick."""
    return Standing(_window(record), frozenset(absolute.entity for absolute in record.absolutes))


def kept(record: TickRecord, before: Standing | None) -> Iterator[tuple[Absolute, int]]:
    """The absolutes of a tick to keep, each with its Flag: of the entry that made it worth keeping, BASELINE for one
    that was not there at the tick before (a flow under its earlier name again goes on from elsewhere), else 0.

    before: what the tick before left; None at the first one of a process, which keeps all.
    """
    flags = {entry.entity: entry.flags for entry in entries_of(record) if entry.flags & _KEPT}
    new_window = before is None or _window(record) != before.window
    for absolute in record.absolutes:
        if absolute.entity in flags:
            yield absolute, flags[absolute.entity]
        elif before is not None and absolute.entity not in before.entities:
            yield absolute, Flag.BASELINE.value
        elif new_window:
            yield absolute, 0


def _window(record: TickRecord) -> int:
    return record.tick.tick_ms // WINDOW_MS
