"""A small recorder for the kill test: ticks as fast as it can; each one that is in the file is told on a pipe.

Usage: python -m tests.store.recorder STORE DESCRIPTOR
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.store.records import NOON_MS, RUN, record
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.writer import Writer


def main(store: Path, acknowledgements: int) -> None:
    def acknowledge(tick_ms: int) -> None:
        os.write(acknowledgements, tick_ms.to_bytes(8, "big"))

    writer = Writer(store, on_commit=acknowledge)
    opened = writer.open()
    run = writer.begin_run(RUN)
    tick_ms = opened.last_tick_ms or NOON_MS
    while True:
        tick_ms += QUARTER_MS // 16  # roll-ups too are killed in the middle
        writer.submit(record(tick_ms, run.id, length_ms=QUARTER_MS // 16))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
