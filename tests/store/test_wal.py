"""The write-ahead log stays small beside two readers, and is brought into the file at the end."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, record
from tokwatch.ledger.entries import Event
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

TICKS, TICK_BYTES = 200, 96 * 1024  # 19 MB in all
MOST_WAL_BYTES = 8_000_000


def test_the_wal_stays_small_while_two_viewers_look(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    wal = path.with_name("store.db-wal")
    writer = Writer(path)
    writer.open()
    run = writer.begin_run(RUN)
    sizes = []
    with Reader(path) as one, Reader(path) as other:
        for n in range(TICKS):
            body = b'"%s"' % (b"x" * TICK_BYTES)
            event = Event(NOON_MS + n, 0, "settings", "", body)
            writer.submit(replace(record(NOON_MS + n, run.id), events=(event,)))
            if n % 5 == 0:
                writer.limit_pages(1 << 30)  # answered after the records are written
                sizes.append(wal.stat().st_size)
                assert (one if n % 2 else other).last_tick([run.id]) == NOON_MS + n
        assert max(sizes) < MOST_WAL_BYTES
        assert writer.close(20)
        assert wal.stat().st_size == 0, "brought into the file, though viewers still have it open"
