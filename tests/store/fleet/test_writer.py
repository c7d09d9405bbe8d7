"""The fleet's writer: in its thread, whole when closed, and a full disk makes it wait."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.fleet.quarters import NOON_MS, RUN, frame, quarter
from tokwatch.ledger.fleet.host_quarters import QUARTER_MS
from tokwatch.store.errors import StoreError
from tokwatch.store.fleet.reader import FleetReader
from tokwatch.store.fleet.writer import FleetWriter
from tokwatch.store.reader import Reader


def test_what_was_put_is_there_after_closing(tmp_path: Path) -> None:
    writer = FleetWriter(tmp_path / "fleet.db")
    assert writer.begin(RUN).id == 1
    writer.put_quarters(quarter(f"h{number}") for number in range(100))
    writer.put_frame(frame(NOON_MS))
    assert writer.close(10)
    with Reader(tmp_path / "fleet.db") as reader, FleetReader(tmp_path / "fleet.db") as frames:
        assert len(reader.quarters(NOON_MS, NOON_MS + QUARTER_MS).gpus) == 100
        assert frames.span_ms() == (NOON_MS, NOON_MS)


def test_the_newest_of_what_is_put_twice_is_written(tmp_path: Path) -> None:
    writer = FleetWriter(tmp_path / "fleet.db")
    writer.begin(RUN)
    writer.put_quarters([quarter(length_ms=60_000), quarter(length_ms=90_000)])
    assert writer.close(10)
    with Reader(tmp_path / "fleet.db") as reader:
        assert [row.observed_ms for row in reader.quarters(NOON_MS, NOON_MS + QUARTER_MS).gpus] == [90_000]


def test_a_store_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "fleet.db").write_bytes(b"no store at all" * 100)
    with pytest.raises(StoreError):
        FleetWriter(tmp_path / "fleet.db").begin(RUN)


def test_what_the_store_refuses_is_counted_and_told(tmp_path: Path) -> None:
    writer = FleetWriter(tmp_path / "fleet.db")
    writer.begin(RUN)
    writer.put_quarters([quarter(output=2**70)])
    assert not writer.close(10)
    assert writer.dropped == 1
    assert "refused what was measured" in (writer.problem or "")


_KILLED = """
import sys
from pathlib import Path
from tests.store.fleet.quarters import NOON_MS, RUN, frame, quarter
from tokwatch.store.connection import open_for_writing
from tokwatch.store.fleet.recording import FleetRecording
recording = FleetRecording(open_for_writing(Path(sys.argv[1])))
recording.begin_run(RUN)
for turn in range(10_000):
    recording.write_quarters([quarter(f"h{turn % 7}", length_ms=5000 + turn)])
    recording.write_frame(frame(NOON_MS + 10_000 * turn))
    print(turn, flush=True)
"""


def test_a_kill_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", _KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env={**os.environ}) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) == 50:
                break
        child.send_signal(signal.SIGKILL)
        last = max([50, *(int(line) for line in child.stdout if line.endswith("\n"))])
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with FleetReader(path) as reader, Reader(path) as rows:
        span = reader.span_ms()
        assert span is not None
        assert span[1] >= NOON_MS + 10_000 * last
        assert len(rows.quarters(NOON_MS, NOON_MS + QUARTER_MS).gpus) == 7
