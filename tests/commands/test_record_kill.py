"""`tokwatch record` under kill -9: what it said was on the disk is there, whole, and the next one goes on."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import time
from pathlib import Path

import msgspec

from tests.commands.box import CommandBox
from tokwatch.demo.scenario import parse
from tokwatch.ledger.entries import Flag
from tokwatch.store.reader import Reader

KILLS = 30
GPUS = 2


def counter_readings(store: Path, table: str) -> dict[int, tuple[int, int]]:
    """GPU entity → when it was read and mJ its counter showed: first ever (`absolute`) or last (`absolute_latest`)."""
    connection = sqlite3.connect(store)
    key = "id & 0xFFFFF" if table == "absolute" else "entity"
    order = "id DESC" if table == "absolute" else "entity"
    rows = connection.execute(f"SELECT {key}, at_ns, counters FROM {table} ORDER BY {order}").fetchall()
    connection.close()
    return {entity: (at_ns, msgspec.json.decode(counters)["energy_mj"]) for entity, at_ns, counters in rows}


def test_a_recorder_killed_at_any_moment_loses_no_tick_and_no_energy(tmp_path: Path) -> None:
    box = CommandBox(tmp_path)
    moments = random.Random(20261121)
    told: list[int] = []
    start_s = 0.0
    for turn in range(KILLS):
        began_s = time.monotonic()
        recording = box.start_recording()
        if turn == 0:
            recording.wait_for_ticks(1)
            start_s = time.monotonic() - began_s
        if turn == 0 or turn == KILLS - 1:
            recording.wait_for_ticks(3)
        else:  # from before the store is open to some ticks later, however slow the machine is just now
            with contextlib.suppress(subprocess.TimeoutExpired):
                recording.process.wait(moments.uniform(0.4 * start_s, start_s + 0.6))
        ticks, _, _ = recording.end(kill=True)
        told += ticks
    connection = sqlite3.connect(box.store)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    with Reader(box.store) as reader:
        records = list(reader.records(None, 0, 2**42))
    assert {record.tick.tick_ms for record in records} >= set(told)
    assert len(told) > KILLS
    assert all(len(record.gpus) == GPUS for record in records), "a tick without all its rows"
    scenario = parse(box.scenario)
    assert scenario.t0_ns is not None
    first, last = counter_readings(box.store, "absolute"), counter_readings(box.store, "absolute_latest")
    for gpu, simulated in zip(sorted(last), scenario.gpus, strict=True):
        entries = [entry for record in records for entry in record.gpus if entry.entity == gpu]
        assert [entry for entry in entries if entry.energy_mj is None] == entries[:1], "a baseline, and only one"
        assert entries[0].flags == Flag.BASELINE
        counted_mj = sum(entry.energy_mj or 0 for entry in entries)
        assert counted_mj == last[gpu][1] - first[gpu][1]
        (from_ns, _), (to_ns, _) = first[gpu], last[gpu]
        assert counted_mj == simulated.energy_mj_at(to_ns - scenario.t0_ns) - simulated.energy_mj_at(
            from_ns - scenario.t0_ns
        )
