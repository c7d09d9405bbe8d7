"""What was on the screen is what a replay shows, byte for byte: one process records, another has only the store."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tests.feeds.replaying import JUMPS
from tests.nvml_stub.stub import build_stub
from tokwatch.ledger.entries import Flag
from tokwatch.ledger.snapshot import Snapshot, canonical_json, decode_snapshot
from tokwatch.store.reader import Reader

# How a moment is looked at, and where: all that may differ.
EXEMPT = {"mode": "", "session": ""}


@dataclass(frozen=True)
class Evening:
    """A store, and what the recorder's process had on its screen while it was filled."""

    store: Path
    live: dict[int, bytes]  # by tick, without what is exempt
    shown: list[Snapshot]


def run(module: str, *arguments: str | Path) -> None:
    ended = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def snapshots(file: Path) -> list[Snapshot]:
    return [decode_snapshot(line) for line in file.read_bytes().splitlines()]


def without_exempt(snapshot: Snapshot) -> bytes:
    return canonical_json(msgspec.structs.replace(snapshot, **EXEMPT))


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    build_stub()  # or skip
    folder = tmp_path_factory.mktemp("evening")
    store, file = folder / "store.db", folder / "live.jsonl"
    run("tests.feeds.evening", store, file)
    shown = snapshots(file)
    return Evening(store, {snapshot.tick_ms: without_exempt(snapshot) for snapshot in shown}, shown)


def replayed(evening: Evening, how: str) -> list[Snapshot]:
    file = evening.store.with_name(f"{how}.jsonl")
    run("tests.feeds.replaying", evening.store, how, file)
    return snapshots(file)


def assert_equal(evening: Evening, moment: Snapshot) -> None:
    if without_exempt(moment) != evening.live[moment.tick_ms]:
        # The bytes are what counts; the fields tell where they part.
        live = msgspec.json.decode(evening.live[moment.tick_ms])
        replay = msgspec.json.decode(without_exempt(moment))
        parted = {name: (live[name], replay[name]) for name in live if live[name] != replay[name]}
        pytest.fail(f"tick {moment.tick_ms}: {parted}")


def test_every_tick_played_through_is_what_was_on_the_screen(evening: Evening) -> None:
    moments = replayed(evening, "played")
    assert [moment.tick_ms for moment in moments] == sorted(evening.live)
    for moment in moments:
        assert_equal(evening, moment)


def test_a_jump_to_any_moment_shows_what_was_on_the_screen(evening: Evening) -> None:
    moments = replayed(evening, "jumped")
    assert len(moments) == JUMPS
    for moment in moments:
        assert_equal(evening, moment)


def test_the_evening_holds_everything_that_may_part_the_two(evening: Evening) -> None:
    with Reader(evening.store) as reader:
        records = list(reader.records(None, 0, 2**42))
        runs = reader.runs()
        prices = reader.prices()
    flags = Flag(0)
    for record in records:
        for entry in (*record.gpus, *record.flows):
            flags |= Flag(entry.flags)
    assert flags & Flag.RESET
    assert flags & Flag.GAP
    assert flags & Flag.SUSPECT
    assert flags & Flag.ESTIMATED
    assert [run.timezone for run in runs] == ["Europe/Berlin", "Europe/Berlin", "UTC"]
    assert [price.source for price in prices] == ["command line", "set by you", "command line"]
    assert min(record.tick.clock_step_ms for record in records) < -3_500_000
    assert any(later.tick.tick_ms - earlier.tick.tick_ms > 300_000 for earlier, later in pairwise(records))
    alerts = {(alert.state, alert.status) for snapshot in evening.shown for alert in snapshot.alerts}
    assert {("parked", "firing"), ("parked", "resolving"), ("lost", "firing")} <= alerts
    states = {gpu.state for snapshot in evening.shown for gpu in snapshot.gpus}
    assert {"serving", "parked", "lost", "blind", "held", "unallocated"} <= states
    days = {(snapshot.tick_ms + snapshot.utc_offset_s * 1000) // 86_400_000 for snapshot in evening.shown}
    assert len(days) == 2
    assert {len(snapshot.servers) for snapshot in evening.shown} == {1, 2}
