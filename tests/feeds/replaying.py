"""A process that is given a store and nothing else: played through, or jumped about in.

Usage: python -m tests.feeds.replaying STORE played|jumped SNAPSHOTS
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.ledger.snapshot import Snapshot, canonical_json

JUMPS = 50


def played(cursor: Cursor) -> Iterator[Snapshot | None]:
    """Every tick from the first on."""
    span = cursor.span_ms()
    assert span is not None
    moved = cursor.seek(span[0])
    while moved:
        yield cursor.snapshot("replay", "evening")
        moved = cursor.step(1)


def jumped(store: Path) -> Iterator[Snapshot | None]:
    """Moments in no order; a new reader each time, so that nothing is left of the jump before."""
    dice = random.Random(7)
    for _ in range(JUMPS):
        cursor = Cursor(History(store))
        span = cursor.span_ms()
        assert span is not None
        cursor.seek(dice.randint(*span))
        yield cursor.snapshot("replay", "evening")
        cursor.close()


def main(store: Path, how: str, out: Path) -> None:
    moments = jumped(store) if how == "jumped" else played(Cursor(History(store)))
    with out.open("wb") as file:
        for snapshot in moments:
            assert snapshot is not None
            file.write(canonical_json(snapshot) + b"\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
