"""What people tell a store from another process: prices and closed months, beside a recorder that writes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, fill, record, tick
from tokwatch.ledger.entries import TickRecord
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader
from tokwatch.store.rows import PriceClose, PriceVersion, Told, insert_close, insert_price
from tokwatch.store.telling import telling
from tokwatch.store.writer import Writer


def test_what_people_tell_beside_the_recorder_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path)
    writer.open()
    run = writer.begin_run(RUN)
    with Reader(path) as reader:
        assert reader.told() == Told(0, 0, 0)
    restated = PriceVersion(0, NOON_MS, NOON_MS + 5, "restated", b"{}", NOON_MS + 60_000, "the invoice says so")
    with telling(path) as connection:
        insert_close(connection, "2026-09", NOON_MS)
        kept = insert_price(connection, restated)
        insert_close(connection, "2026-10", NOON_MS)
    writer.submit(TickRecord(tick(NOON_MS, run.id)))
    assert writer.close(10)
    assert (writer.problem, kept) == (None, replace(restated, id=1))
    with Reader(path) as reader:
        assert reader.prices() == [kept]
        assert reader.closes() == [PriceClose("2026-09", 0, NOON_MS), PriceClose("2026-10", 1, NOON_MS)]
        assert reader.told() == Told(1, 2, 0)
        assert reader.last_tick() == NOON_MS


def test_what_was_told_only_in_part_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS)])

    def tell() -> None:
        with telling(path) as connection:
            insert_close(connection, "2026-09", NOON_MS)
            insert_close(connection, "2026-09", NOON_MS)

    with pytest.raises(sqlite3.IntegrityError):
        tell()
    with Reader(path) as reader:
        assert reader.closes() == []
        assert reader.last_tick() == NOON_MS


def test_a_store_that_is_not_there_is_not_made_by_telling_it_something(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store at"), telling(tmp_path / "store.db"):
        pass
    assert not (tmp_path / "store.db").exists()
