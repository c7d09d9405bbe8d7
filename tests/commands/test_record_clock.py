"""`tokwatch record` while the wall clock is set, and while the process is stopped and goes on."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.commands.box import CommandBox, Recording
from tokwatch.ledger.entries import Flag, TickRecord
from tokwatch.store.reader import Reader

HOUR_S = 3600
LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


def records_of(box: CommandBox) -> list[TickRecord]:
    with Reader(box.store) as reader:
        return list(reader.records(None, 0, 2**42))


def check(box: CommandBox, records: list[TickRecord]) -> None:
    """Times only go forward, and energy in quarter hours is energy in entries."""
    connection = sqlite3.connect(box.store)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    ticks = [record.tick.tick_ms for record in records]
    assert ticks == sorted(set(ticks))
    ends: dict[int, int] = {}
    before_ns = records[0].tick.boottime_ns
    for record in records:
        elapsed_ms, before_ns = (record.tick.boottime_ns - before_ns) / 1e6, record.tick.boottime_ns
        for entry in record.gpus:
            assert entry.t0_ms <= entry.t1_ms <= record.tick.tick_ms
            # Lengths are those of the boot clock. Placed by the wall clock they meet to a millisecond, and while that
            # is waited for after it was set back the store's time runs a tenth slower from tick to tick: of a late
            # tick that is more than a tenth of what was read in it.
            overlap_ms = ends.get(entry.entity, 0) - entry.t0_ms
            slower_ms = 0.12 * max(elapsed_ms, entry.t1_ms - entry.t0_ms)
            assert overlap_ms <= 1 + slower_ms or entry.flags & Flag.BASELINE
            ends[entry.entity] = entry.t1_ms
    with Reader(box.store) as reader:
        quarters = reader.quarters(0, 2**42)
    drawn = sum(entry.energy_mj or 0 for record in records for entry in record.gpus)
    assert sum(row.energy_mj or 0 for row in quarters.gpus) == drawn > 0
    watched = sum(e.t1_ms - e.t0_ms for r in records for e in r.gpus if not e.flags & Flag.GAP)
    assert sum(row.observed_ms for row in quarters.gpus) == watched


@pytest.mark.skipif(LIBRARY is None or not shutil.which("faketime"), reason="no faketime on this machine")
def test_a_wall_clock_that_jumps_an_hour_on_and_back_counts_no_time_twice(tmp_path: Path) -> None:
    box = CommandBox(tmp_path)
    offset = tmp_path / "offset"

    def set_clock(offset_s: int) -> None:
        (tmp_path / "new").write_text(f"{offset_s:+d}s")
        (tmp_path / "new").rename(offset)

    set_clock(0)
    box.environment |= {
        "LD_PRELOAD": f"{LIBRARY} {box.environment.get('LD_PRELOAD', '')}".strip(),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    recording = box.start_recording()
    recording.wait_for_ticks(4)
    set_clock(HOUR_S)
    recording.wait_for_ticks(10)
    set_clock(-HOUR_S)
    recording.wait_for_ticks(20)
    told, _, _ = recording.end()
    records = records_of(box)
    assert [record.tick.tick_ms for record in records][: len(told)] == told
    steps_h = [round(record.tick.clock_step_ms / 1000 / HOUR_S) for record in records]
    assert [step for step in steps_h if step] == [1, -2]
    check(box, records)


def test_a_recorder_that_was_stopped_goes_on_with_the_energy_of_the_meantime(tmp_path: Path) -> None:
    box = CommandBox(tmp_path)
    beside = CommandBox(_made(tmp_path / "beside"))
    recording = box.start_recording()
    recording.wait_for_ticks(4)
    os.kill(recording.process.pid, signal.SIGSTOP)
    _pass_some_time(beside)
    os.kill(recording.process.pid, signal.SIGCONT)
    recording.wait_for_ticks(10)
    told, _, _ = recording.end()
    records = records_of(box)
    assert [record.tick.tick_ms for record in records][: len(told)] == told
    check(box, records)
    longest_ms = max(entry.t1_ms - entry.t0_ms for record in records for entry in record.gpus)
    assert longest_ms > 500  # ten of its intervals: one entry speaks for the time that it stood
    assert all(record.tick.clock_step_ms < 500 for record in records)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _pass_some_time(box: CommandBox) -> None:
    """Another recorder's start and ten of its ticks."""
    other: Recording = box.start_recording()
    other.wait_for_ticks(10)
    other.end()
