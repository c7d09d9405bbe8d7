"""A disk that is full at any moment while old ticks are sealed and let go: what was told stays, and it all resumes."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, record
from tests.store.sums import check_sums
from tokwatch.ledger.entries import Event, TickRecord
from tokwatch.store.reader import Reader
from tokwatch.store.retention import HOUR_MS, Retention
from tokwatch.store.sealed import WINDOW_MS
from tokwatch.store.writer import Writer

ROUNDS = int(os.environ.get("TOKWATCH_FULL_DISKS", "6"))
STEP_MS = 30_000
KEEP = Retention(2 * WINDOW_MS, 2 * HOUR_MS, 3 * HOUR_MS)
ROOM = 1 << 30


def pages(path: Path) -> int:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    count: int = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.close()
    return count


def large(tick_ms: int, run: int) -> TickRecord:
    """More than a page: pages that pruning left free are soon used up."""
    body = b'"%s"' % (b"x" * 6000)
    return replace(record(tick_ms, run, STEP_MS), events=(Event(tick_ms, 0, "settings", "", body),))


class Box:
    """A store that is written to at STEP_MS, and what is known to be in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written: list[TickRecord] = []
        self.told: list[int] = []
        self.fulls = 0
        self._room = ROOM
        self._tick_ms = NOON_MS
        self.begin()

    def begin(self) -> None:
        self.writer = Writer(self.path, on_commit=self.told.append, retention=KEEP)
        self.writer.open()
        self.run = self.writer.begin_run(RUN).id

    def limit(self, room: int) -> None:
        """How many pages the disk has room for."""
        self._room = room
        self.writer.limit_pages(room)

    def write(self, ticks: int) -> None:
        for _ in range(ticks):
            self._tick_ms += STEP_MS
            self.written.append(large(self._tick_ms, self.run))
            self.writer.submit(self.written[-1])
        self.writer.limit_pages(self._room)  # answered after all of them
        self.fulls += self.writer.problem is not None

    def check(self) -> None:
        connection = sqlite3.connect(self.path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        with Reader(self.path) as reader:
            kept = list(reader.records(None, 0, 2**42))
            assert kept == self.written[-len(kept) :], "what is left is the end of what was written, in order"
            check_sums(self.written, reader.quarters(0, 2**42))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_is_lost_on_a_disk_that_is_full_now_and_then_and_sealing_goes_on_after_it(
    tmp_path: Path, seed: int
) -> None:
    moments = random.Random(seed)
    box = Box(tmp_path / "store.db")
    box.write(250)
    for _ in range(8):
        box.limit(pages(box.path) + moments.randrange(12))
        box.write(moments.randrange(1, 60))
        if moments.random() < 0.5:
            box.limit(ROOM)
            box.write(moments.randrange(1, 15))
    box.limit(ROOM)
    box.write(300)
    assert box.writer.problem is None
    assert box.writer.close(20)
    assert (box.writer.dropped, box.writer.merged) == (0, 0)
    assert box.told == [each.tick.tick_ms for each in box.written]
    assert box.fulls, "the disk was never full"
    box.check()
    connection = sqlite3.connect(box.path)
    (oldest_raw_ms,) = connection.execute("SELECT min(tick_ms) FROM tick").fetchone()
    (oldest_ms,) = connection.execute("SELECT min(first_ms) FROM tick_chunk").fetchone()
    connection.close()
    now_ms = box.written[-1].tick.tick_ms
    assert now_ms - oldest_raw_ms <= KEEP.raw_ms + 2 * WINDOW_MS, "sealing did not catch up"
    assert now_ms - oldest_ms <= KEEP.history_ms + 2 * WINDOW_MS, "pruning did not catch up"


@pytest.mark.parametrize("seed", range(3))
def test_a_recorder_that_is_killed_on_a_full_disk_leaves_a_store_that_goes_on(tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    box = Box(tmp_path / "box" / "store.db")
    box.write(250)
    for life in range(3):
        box.limit(pages(box.path) + moments.randrange(4))
        while box.writer.problem is None:
            box.write(20)
        # As it lies there while the recorder waits for room, which is what a kill leaves.
        left = tmp_path / f"left-{life}"
        shutil.copytree(box.path.parent, left)
        box.writer.close(10)
        del box.written[len(box.told) :]
        box.path = left / "store.db"
        box.begin()
        box.limit(ROOM)
        box.write(100)
    assert box.writer.close(20)
    assert box.told == [each.tick.tick_ms for each in box.written]
    box.check()


def test_ticks_are_written_where_there_is_room_for_them_and_none_for_sealing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def no_room(_: object, now_ms: int) -> bool:
        tried.append(now_ms)
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("tokwatch.store.sealing.Sealing.step", no_room)
    box = Box(tmp_path / "store.db")
    for _ in range(60):
        box.write(1)
    assert box.writer.close(10)
    assert box.told == [each.tick.tick_ms for each in box.written]
    assert tried == [each.tick.tick_ms for each in box.written[::2]], "once a minute"


@pytest.mark.parametrize("error", [sqlite3.IntegrityError, ValueError, OverflowError])
def test_no_tick_is_dropped_for_what_is_wrong_with_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def damaged(*_: object) -> bool:
        raise error("damaged")

    problems: list[str] = []  # all that the writer ever had: it may be over the moment after

    def remember(writer: Writer, name: str, value: object) -> None:
        if name == "_problem" and value is not None:
            problems.append(str(value))
        object.__setattr__(writer, name, value)

    monkeypatch.setattr("tokwatch.store.sealing.Sealing.step", damaged)
    monkeypatch.setattr(Writer, "__setattr__", remember)
    box = Box(tmp_path / "store.db")
    box.write(5)
    assert any("older ticks could not be sealed or let go: damaged" in problem for problem in problems)
    for _ in range(5):
        box.write(1)
    assert box.writer.close(10)
    assert box.writer.dropped == 0
    assert box.told == [each.tick.tick_ms for each in box.written]
