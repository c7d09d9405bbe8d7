"""A disk that is really full: a small tmpfs. The ticks wait, and are all there once there is room."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, record
from tests.store.sums import check_sums
from tokwatch.ledger.entries import Event, TickRecord
from tokwatch.store.copying import StoreCopy
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

SIZE = 12 << 20  # room for a -wal of its usual 4 MB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tokwatch-test", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mount is not allowed here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def large(n: int, run: int) -> TickRecord:
    body = b'"%s"' % (b"x" * 20_000)
    return replace(record(NOON_MS + n * 1000, run), events=(Event(NOON_MS + n * 1000, 0, "settings", str(n), body),))


def test_what_was_told_is_kept_and_what_waited_is_written_when_there_is_room(disk: Path) -> None:
    store, ballast = disk / "store.db", disk / "ballast"
    committed: list[int] = []
    writer = Writer(store, on_commit=committed.append)
    writer.open()
    run = writer.begin_run(RUN)
    moments = random.Random(20261121)
    written = fulls = 0
    for _ in range(3):
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        ballast.write_bytes(b"\0" * max(0, free - moments.randrange(8_000, 200_000)))
        for _ in range(15):
            writer.submit(large(written, run.id))
            written += 1
        writer.limit_pages(1 << 30)  # answered after the records were tried
        fulls += writer.problem is not None
        assert writer.problem is None or "ticks wait in memory" in writer.problem
        with Reader(store) as reader:  # viewers go on reading
            assert reader.last_tick() == committed[-1]
        ballast.unlink()
        writer.submit(large(written, run.id))
        written += 1
        writer.limit_pages(1 << 30)
        assert writer.problem is None, "it goes on by itself"
    assert fulls, "the disk was never full"
    assert writer.close(20)
    assert writer.dropped == 0
    assert committed == [NOON_MS + n * 1000 for n in range(written)]
    connection = sqlite3.connect(store)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    with Reader(store) as reader:
        records = list(reader.records(None, 0, 2**42))
        assert [each.tick.tick_ms for each in records] == committed
        check_sums(records, reader.quarters(0, 2**42))


def test_a_recorder_that_is_killed_on_a_full_disk_loses_nothing_it_told(disk: Path) -> None:
    store, ballast = disk / "store.db", disk / "ballast"
    committed: list[int] = []
    writer = Writer(store, on_commit=committed.append)
    writer.open()
    run = writer.begin_run(RUN)
    for n in range(5):
        writer.submit(large(n, run.id))
    writer.limit_pages(1 << 30)
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast.write_bytes(b"\0" * free)
    writer.submit(large(5, run.id))
    assert writer.close(10) is False  # gives up what could not be written, as a kill would
    ballast.unlink()
    again = Writer(store)
    again.open()
    assert again.close(10)
    with Reader(store) as reader:
        assert [each.tick.tick_ms for each in reader.records(None, 0, 2**42)] == committed


def test_a_copy_that_finds_no_room_says_so_of_its_own_name_and_leaves_nothing(disk: Path) -> None:
    with (disk / "rest").open("wb") as rest, contextlib.suppress(OSError):
        rest.write(bytes(SIZE - (64 << 10)))
    with pytest.raises(StoreError, match=re.escape(f"cannot write {disk / 'copy.db'}: database or disk is full")):
        StoreCopy(disk / "copy.db")
    assert [path.name for path in disk.iterdir()] == ["rest"]
