"""Imports: all or nothing, once, and beside what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, fill, record
from tests.store.test_sealing import sealed
from tokwatch.ledger.entries import Event, Run
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer

IMPORT = Run(0, "imported", "dgx-03", "", "0.1.0", "UTC", NOON_MS, source="sha256:5f3a")
PAST_MS = NOON_MS - 365 * 86_400_000


def test_an_import_comes_in_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    live = fill(path, [record(NOON_MS)])
    writer = Writer(path)
    writer.open()
    assert writer.write_import(IMPORT, [record(PAST_MS), record(PAST_MS + 1000)]) is True
    assert writer.write_import(IMPORT, [record(PAST_MS), record(PAST_MS + 1000)]) is False
    assert writer.close(10)
    with Reader(path) as reader:
        assert [run.kind for run in reader.runs()] == ["recorded", "imported"]
        assert [each.tick.tick_ms for each in reader.records([live + 1], 0, NOON_MS)] == [PAST_MS, PAST_MS + 1000]
        assert {row.run for row in reader.quarters(0, PAST_MS + 1000).gpus} == {live + 1}


def test_an_imported_tick_moves_where_its_place_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    live = fill(path, [record(PAST_MS), record(PAST_MS + 1)])
    event = Event(PAST_MS, 1, "state", "", b"1")
    writer = Writer(path)
    writer.open()
    assert writer.write_import(IMPORT, [replace(record(PAST_MS), events=(event,)), record(PAST_MS + 2)])
    assert writer.close(10)
    with Reader(path) as reader:
        assert [each.tick.tick_ms for each in reader.records([live], 0, NOON_MS)] == [PAST_MS, PAST_MS + 1]
        moved = list(reader.records([live + 1], 0, NOON_MS))
    assert [each.tick.tick_ms for each in moved] == [PAST_MS + 2, PAST_MS + 3]
    assert moved[0].events == (replace(event, tick_ms=PAST_MS + 2),)
    assert moved[0].gpus == record(PAST_MS).gpus  # what it speaks for does not move


def test_an_imported_tick_moves_where_its_place_is_taken_by_a_sealed_one(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    places = [PAST_MS + second * 1000 for second in range(60)]
    live = fill(path, [record(at_ms) for at_ms in places])
    sealed(path)
    writer = Writer(path)
    writer.open()
    assert writer.write_import(IMPORT, [record(at_ms) for at_ms in places])
    assert writer.close(10)
    for _ in range(2):  # raw, then sealed in windows that begin beside those of the other run
        with Reader(path) as reader:
            assert [each.tick.tick_ms for each in reader.records([live], 0, NOON_MS)] == places
            moved = list(reader.records([live + 1], 0, NOON_MS))
            assert [each.tick.tick_ms for each in moved] == [at_ms + 1 for at_ms in places]
            assert [each.gpus for each in moved] == [record(at_ms).gpus for at_ms in places]
        sealed(path)


def test_a_bad_import_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path)
    writer.open()
    with pytest.raises(ValueError, match="does not come after"):
        writer.write_import(IMPORT, [record(PAST_MS), record(PAST_MS)])
    with pytest.raises(ValueError, match="later than now"):
        writer.write_import(IMPORT, [record(NOON_MS * 2)])
    with pytest.raises(ValueError, match="digest"):
        writer.write_import(replace(IMPORT, source=""), [])
    assert writer.close(10)
    with Reader(path) as reader:
        assert reader.runs() == []
        assert reader.last_tick() is None
