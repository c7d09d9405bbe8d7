"""The writer thread: it never holds anybody up, and it comes back when the disk does."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, fill, gpu, record, tick
from tokwatch.ledger.entries import Entity, Event, TickRecord
from tokwatch.store import writer as writer_module
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.writer import Writer


def ticks_of(path: Path) -> list[int]:
    with Reader(path) as reader:
        return [each.tick.tick_ms for each in reader.records(None, 0, NOON_MS * 2)]


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o377])
def test_the_store_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "state" / "tokwatch" / "store.db"
    before = os.umask(umask)
    try:
        writer = Writer(path)
        writer.open()
        writer.begin_run(RUN)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        writer.close(10)
    finally:
        os.umask(before)
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_a_commit_is_told_once_it_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    seen: list[tuple[int, bool]] = []

    def look(tick_ms: int) -> None:
        with Reader(path) as reader:
            seen.append((tick_ms, reader.last_tick() == tick_ms))

    writer = Writer(path, on_commit=look)
    writer.open()
    run = writer.begin_run(RUN)
    for n in range(3):
        writer.submit(record(NOON_MS + n, run.id))
    assert writer.close(10)
    assert seen == [(NOON_MS, True), (NOON_MS + 1, True), (NOON_MS + 2, True)]


class FullDisk:
    """A writer whose store cannot grow until `clear`; `wait` returns once the writer has tried and failed."""

    def __init__(self, path: Path) -> None:
        self.committed: list[int] = []
        self.writer = Writer(path, on_commit=self.committed.append)
        self.writer.open()
        self.run = self.writer.begin_run(RUN)
        self.writer.submit(self.record(0))
        self.writer.limit_pages(1)  # the file keeps what it has, and gets no further page

    def record(self, n: int) -> TickRecord:
        body = b'"%s"' % (b"x" * 4000)  # more than a page: it cannot fit into what is left
        return replace(
            record(NOON_MS + n, self.run.id),
            events=(Event(NOON_MS + n, 0, "settings", "", body),),
            entities=(Entity(100 + n, "gpu", "dgx-03", f"GPU-{n}", 0, NOON_MS),),
        )

    def settle(self) -> None:
        """Calls are answered in turn with records: after this one the earlier records were tried."""
        self.writer.limit_pages(1)

    def clear(self) -> None:
        self.writer.limit_pages(1 << 30)


def test_a_full_disk_holds_records_back_and_loses_none(tmp_path: Path) -> None:
    disk = FullDisk(tmp_path / "store.db")
    for n in range(1, 20):
        disk.writer.submit(disk.record(n))
    disk.settle()
    assert disk.writer.problem is not None
    assert "disk is full" in disk.writer.problem
    assert str(tmp_path) in disk.writer.problem
    assert disk.committed == [NOON_MS]
    disk.clear()
    disk.writer.submit(disk.record(20))
    assert disk.writer.close(10)
    assert disk.writer.dropped == 0
    assert ticks_of(tmp_path / "store.db") == [NOON_MS + n for n in range(21)]


def test_a_full_backlog_merges_its_oldest_ticks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BACKLOG_RECORDS", 3)
    disk = FullDisk(tmp_path / "store.db")
    for n in range(1, 6):
        disk.writer.submit(disk.record(n))
        disk.settle()
    assert (disk.writer.dropped, disk.writer.merged) == (0, 2)
    assert "2 merged into later ones so far" in (disk.writer.problem or "")
    disk.clear()
    assert disk.writer.close(10)
    path = tmp_path / "store.db"
    assert ticks_of(path) == [NOON_MS, NOON_MS + 3, NOON_MS + 4, NOON_MS + 5]
    with Reader(path) as reader:
        assert [each.id for each in reader.entities()] == [100, 101, 102, 103, 104, 105]
        kept = [each.gpus[0].energy_mj or 0 for each in reader.records(None, 0, NOON_MS * 2)]
    assert sum(kept) == 6 * (gpu(NOON_MS).energy_mj or 0)


def test_a_lost_event_holds_from_the_next_tick_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BACKLOG_RECORDS", 1)
    disk = FullDisk(tmp_path / "store.db")
    lost = Event(NOON_MS + 1, 7, "state", "", b'"parked"')
    disk.writer.submit(replace(disk.record(1), events=(lost, *disk.record(1).events)))
    disk.settle()
    disk.writer.submit(disk.record(2))
    disk.settle()
    disk.clear()
    assert disk.writer.close(10)
    with Reader(tmp_path / "store.db") as reader:
        assert reader.last_events(NOON_MS + 2, entities=[7]) == [replace(lost, tick_ms=NOON_MS + 2)]


def test_a_record_that_can_never_fit_does_not_stop_the_next(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    writer.open()
    run = writer.begin_run(RUN)
    writer.submit(replace(record(NOON_MS), tick=tick(NOON_MS, run=99)))  # no such run
    writer.submit(TickRecord(tick(NOON_MS + 1, run.id), gpus=(replace(gpu(NOON_MS), throttle=1 << 64),)))
    writer.submit(record(NOON_MS + 2, run.id))
    writer.close(10)
    assert writer.dropped == 2
    assert ticks_of(tmp_path / "store.db") == [NOON_MS + 2]


def test_a_damaged_row_is_reported_and_does_not_end_the_thread(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path)
    writer.open()
    run = writer.begin_run(RUN)
    writer.submit(record(NOON_MS + 1000, run.id))
    writer.submit(record(NOON_MS + 61_000, run.id))  # the minute before has its row
    writer.limit_pages(1 << 30)  # answered after the records are written
    connection = sqlite3.connect(path)
    connection.execute("UPDATE flow_minute SET histograms = x'63ff'")
    connection.commit()
    connection.close()
    writer.submit(record(NOON_MS + QUARTER_MS + 1000, run.id))  # the quarter hour is summed up from the damaged row
    assert writer.close(10) is False
    assert "doctor" in (writer.problem or "")


@pytest.mark.parametrize(
    "wrong",
    [
        record(NOON_MS),
        record(NOON_MS - 1),
        record(1 << 43),
        TickRecord(tick(NOON_MS + 1), gpus=(gpu(NOON_MS + 2),)),
        TickRecord(tick(NOON_MS + 1), gpus=(gpu(NOON_MS, -1),)),
        TickRecord(tick(NOON_MS + 1), gpus=(gpu(NOON_MS, 367 * 86_400_000),)),
        TickRecord(tick(NOON_MS + 1), gpus=(gpu(NOON_MS), gpu(NOON_MS))),
        TickRecord(tick(NOON_MS + 1), gpus=(gpu(NOON_MS, entity=1 << 20),)),
        TickRecord(tick(NOON_MS + 1), gpus=(replace(gpu(NOON_MS), state=15),)),
        TickRecord(tick(NOON_MS + 1), entities=(Entity(0, "gpu", "h", "k", 0, 0),)),
        TickRecord(tick(NOON_MS + 1), events=(Event(NOON_MS, 1, "state", "", b""),)),
        TickRecord(tick(NOON_MS + 1), events=(Event(NOON_MS + 1, 1, "state", "", b""),) * 2),
    ],
)
def test_a_record_that_does_not_fit_is_refused_at_the_door(tmp_path: Path, wrong: TickRecord) -> None:
    fill(tmp_path / "store.db", [record(NOON_MS)])
    writer = Writer(tmp_path / "store.db")
    writer.open()
    with pytest.raises(ValueError):
        writer.submit(wrong)
    writer.close(10)


def test_a_closed_writer_takes_nothing(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    with pytest.raises(StoreError, match="not open"):
        writer.submit(record(NOON_MS))
    writer.open()
    writer.close(10)
    with pytest.raises(StoreError, match="not open"):
        writer.submit(record(NOON_MS))
    with pytest.raises(StoreError, match="not open"):
        writer.begin_run(RUN)


def test_two_readers_follow_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path)
    writer.open()
    run = writer.begin_run(RUN)
    writer.submit(record(NOON_MS, run.id))
    writer.limit_pages(1 << 30)  # answered after the record is written
    problems: list[str] = []
    done = threading.Event()

    def follow() -> None:
        with Reader(path) as reader:
            while not done.is_set():
                found = list(reader.records([run.id], 0, NOON_MS * 2))
                ticks = [each.tick.tick_ms for each in found]
                if ticks != list(range(NOON_MS, NOON_MS + len(ticks))):
                    problems.append(f"a tick is missing in {ticks}")
                if not all(each.gpus and each.flows and each.servers for each in found):
                    problems.append("half a tick")

    readers = [threading.Thread(target=follow) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(1, 60):
        writer.submit(record(NOON_MS + n, run.id))
    assert writer.close(20)
    done.set()
    for reader in readers:
        reader.join(20)
    assert problems == []
    assert len(ticks_of(path)) == 60


def test_a_follower_sees_that_something_changed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS)])
    with Reader(path) as reader:
        assert not reader.changed()
        fill(path, [record(NOON_MS + 1)])
        assert reader.changed()
        assert not reader.changed()
