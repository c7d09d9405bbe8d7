"""A small recorder for the kill test: ticks as fast as it can; each one that is in the file is told on a pipe.

What is older than an hour of its time is sealed meanwhile.

Usage: python -m tests.store.recorder STORE DESCRIPTOR
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from tests.store.records import NOON_MS, RUN, record
from tokwatch.ledger.entries import TickRecord
from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.writer import Writer

STEP_MS = QUARTER_MS // 16  # roll-ups too are killed in the middle
AHEAD = 100  # ticks that wait for the disk at most: a backlog that is full would merge its oldest
KEEP = Retention(HOUR_MS, 3650 * DAY_MS, 3650 * DAY_MS)


def recorded_at(tick_ms: int, run: int) -> TickRecord:
    """What is recorded at a tick."""
    return record(tick_ms, run, length_ms=STEP_MS)


def main(store: Path, acknowledgements: int) -> None:
    room = threading.Semaphore(AHEAD)

    def acknowledge(tick_ms: int) -> None:
        os.write(acknowledgements, tick_ms.to_bytes(8, "big"))
        room.release()

    writer = Writer(store, on_commit=acknowledge, retention=KEEP)
    opened = writer.open()
    run = writer.begin_run(RUN)
    tick_ms = opened.last_tick_ms or NOON_MS
    while True:
        tick_ms += STEP_MS
        room.acquire()
        writer.submit(recorded_at(tick_ms, run.id))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
