"""A recorder killed at any moment loses nothing it said it had."""

from __future__ import annotations

import os
import random
import select
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tests.store.recorder import recorded_at
from tests.store.sums import check_sums
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

KILLS = int(os.environ.get("TOKWATCH_KILLS", "30"))


def record_and_kill(path: Path, after_s: float) -> list[int]:
    """Acknowledged ticks of a recorder that is killed some time after its first one."""
    reading, writing = os.pipe()
    child = subprocess.Popen([sys.executable, "-m", "tests.store.recorder", path, str(writing)], pass_fds=[writing])
    os.close(writing)
    received = b""
    deadline = None
    while deadline is None or time.monotonic() < deadline:
        ready, _, _ = select.select([reading], [], [], 30 if deadline is None else max(0, deadline - time.monotonic()))
        if ready:
            received += os.read(reading, 1 << 16)
            deadline = deadline or time.monotonic() + after_s
        elif deadline is None:
            break
    child.kill()
    child.wait()
    while chunk := os.read(reading, 1 << 16):
        received += chunk
    os.close(reading)
    return [int.from_bytes(received[at : at + 8], "big") for at in range(0, len(received) // 8 * 8, 8)]


def test_a_killed_recorder_keeps_every_tick_it_acknowledged_and_no_half_one(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    moments = random.Random(20261121)
    acknowledged: list[int] = []
    for _ in range(KILLS):
        ticks = record_and_kill(path, moments.uniform(0, 0.03))
        assert ticks, "the recorder did not go on where the killed one stood"
        acknowledged += ticks
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    (sealed,) = connection.execute("SELECT coalesce(sum(ticks), 0) FROM tick_chunk").fetchone()
    connection.close()
    writer = Writer(path)
    writer.open()
    assert writer.close(10)
    with Reader(path) as reader:
        assert len(reader.runs()) == KILLS
        records = list(reader.records(None, 0, 2**42))
        kept = {each.tick.tick_ms for each in records}
        assert kept.issuperset(acknowledged)
        assert len(kept) <= len(acknowledged) + KILLS  # at most one was in the file and not told yet
        assert records == [recorded_at(each.tick.tick_ms, each.tick.run) for each in records]
        assert sealed > len(records) // 2, "nothing was killed while it sealed"
        check_sums(records, reader.quarters(0, 2**42))
