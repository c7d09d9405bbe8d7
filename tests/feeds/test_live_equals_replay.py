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
from tokwatch.ledger.snapshot import Snapshot, decode_snapshot
from tokwatch.store.reader import Reader

# How a moment is looked at, and where: all that may differ.
EXEMPT = {"mode": "", "session": ""}


@dataclass(frozen=True)
class Evening:
    """A store, and what the recorder's process had on its screen while it was filled."""

    store: Path
    live: dict[int, bytes]  # what is compared, by tick
    shown: list[Snapshot]


def run(module: str, *arguments: str | Path) -> None:
    ended = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def compared(line: bytes) -> tuple[int, bytes]:
    """The tick of a Snapshot's JSON, and the JSON without what is exempt."""
    fields = msgspec.json.decode(line)
    return fields["tick_ms"], msgspec.json.encode(fields | EXEMPT)


def by_tick(file: Path) -> dict[int, bytes]:
    """What is compared, by tick; of a tick shown again after a price was set, the last."""
    return dict(map(compared, file.read_bytes().splitlines()))


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    build_stub()  # or skip
    folder = tmp_path_factory.mktemp("evening")
    store, file = folder / "store.db", folder / "live.jsonl"
    run("tests.feeds.evening", store, file)
    return Evening(store, by_tick(file), [decode_snapshot(line) for line in file.read_bytes().splitlines()])


def replayed(evening: Evening, how: str) -> list[tuple[int, bytes]]:
    file = evening.store.with_name(f"{how}.jsonl")
    run("tests.feeds.replaying", evening.store, how, file)
    return [compared(line) for line in file.read_bytes().splitlines()]


def assert_equal(live: bytes, replay: bytes) -> None:
    if live != replay:  # the bytes are what counts; the fields tell where they part
        was, shown = msgspec.json.decode(live), msgspec.json.decode(replay)
        parted = {name: (was[name], shown[name]) for name in was if was[name] != shown[name]}
        pytest.fail(f"tick {was['tick_ms']}: {parted}")


def test_every_tick_played_through_is_what_was_on_the_screen(evening: Evening) -> None:
    moments = replayed(evening, "played")
    assert [tick_ms for tick_ms, _ in moments] == sorted(evening.live)
    for tick_ms, moment in moments:
        assert_equal(evening.live[tick_ms], moment)


def test_a_jump_to_any_moment_shows_what_was_on_the_screen(evening: Evening) -> None:
    moments = replayed(evening, "jumped")
    assert len(moments) == JUMPS
    for tick_ms, moment in moments:
        assert_equal(evening.live[tick_ms], moment)


def test_the_evening_holds_everything_that_may_part_the_two(evening: Evening) -> None:
    with Reader(evening.store) as reader:
        records = list(reader.records(None, 0, 2**42))
        runs = reader.runs()
        prices = reader.prices()
    flags = Flag(0)
    for record in records:
        for gpu in record.gpus:
            flags |= Flag(gpu.flags)
        for flow in record.flows:
            flags |= Flag(flow.flags)
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
