"""From when to when a GPU was there to be watched, in each run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.store.records import NOON_MS, fill, gpu, tick
from tokwatch.ledger.entries import TickRecord
from tokwatch.store.reader import Reader

MINUTE_MS = 60_000


def minutes(first: int, last: int, entity: int = 1) -> list[TickRecord]:
    """A tick a minute after noon, each of a minute."""
    return [
        TickRecord(tick(NOON_MS + at * MINUTE_MS), gpus=(gpu(NOON_MS + at * MINUTE_MS, MINUTE_MS, entity=entity),))
        for at in range(first, last + 1)
    ]


def seen(path: Path, runs: list[int] | None = None) -> list[tuple[int, int, int, int]]:
    """(entity, run, from minute, to minute)."""
    with Reader(path) as reader:
        return [
            (each.entity, each.run, (each.first_ms - NOON_MS) // MINUTE_MS, (each.last_ms - NOON_MS) // MINUTE_MS)
            for each in reader.seen(runs)
        ]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two runs: minutes 5 to 40, and 70 to 80 with another GPU after 75."""
    path = tmp_path / "store.db"
    fill(path, minutes(6, 40))
    fill(path, [*minutes(71, 75), *minutes(76, 80, entity=2)])
    return path


def test_each_run_knows_a_gpu_from_its_first_entry_to_its_last(store: Path) -> None:
    assert seen(store) == [(1, 1, 5, 40), (1, 2, 70, 75), (2, 2, 75, 80)]
    assert seen(store, [2]) == [(1, 2, 70, 75), (2, 2, 75, 80)]


def test_a_gap_within_the_last_quarter_hour_hides_no_later_entry(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [*minutes(1, 2), *minutes(9, 10), *minutes(31, 31, entity=2)])
    assert seen(path)[0] == (1, 1, 0, 10)


def test_where_raw_rows_are_gone_what_they_said_is_kept(store: Path) -> None:
    fill(store, minutes(200, 200, entity=3))
    connection = sqlite3.connect(store)
    with connection:
        connection.execute("DELETE FROM gpu_raw WHERE id >> 20 <= ?", (NOON_MS + 100 * MINUTE_MS,))
    connection.close()
    assert seen(store) == [(1, 1, 5, 40), (1, 2, 70, 75), (2, 2, 75, 80), (3, 3, 199, 200)]


def test_an_empty_store_has_seen_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "store.db", [])
    with Reader(tmp_path / "store.db") as reader:
        assert reader.seen() == []
