"""Old minutes go, some at a time; what was imported is as old as its import."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, record
from tokwatch.store.connection import open_for_writing
from tokwatch.store.minute_pruning import prune_minutes
from tokwatch.store.recording import Recording
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS

PAST_MS = NOON_MS - 365 * 86_400_000
MINUTES = 20


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Twenty minutes of a recorder, of a GPU and a flow each, and as many imported ones of a year before."""
    connection = open_for_writing(tmp_path / "store.db")
    recording = Recording(connection)
    run = recording.begin_run(RUN)
    for at_ms in range(1000, MINUTES * MINUTE_MS, MINUTE_MS):
        recording.write(record(NOON_MS + at_ms, run.id))
    imported = replace(RUN, kind="imported", source="sha256:5f3a", started_ms=NOON_MS)
    recording.write_import(imported, [record(PAST_MS + at_ms) for at_ms in range(1000, MINUTES * MINUTE_MS, MINUTE_MS)])
    recording.begin_run(RUN)
    yield connection
    connection.close()


def left(connection: sqlite3.Connection, table: str = "gpu_minute") -> list[int]:
    """Rows of the recorder and of the import."""
    return [connection.execute(f"SELECT count(*) FROM {table} WHERE run = ?", (run,)).fetchone()[0] for run in (1, 2)]


def test_minutes_before_a_moment_go_from_every_table(connection: sqlite3.Connection) -> None:
    assert prune_minutes(connection, NOON_MS + 5 * MINUTE_MS, 1000) == 2 * (5 + MINUTES)
    assert left(connection) == left(connection, "flow_minute") == [15, 0]
    (first_ms,) = connection.execute("SELECT min(minute_ms) FROM gpu_minute").fetchone()
    assert first_ms == NOON_MS + 5 * MINUTE_MS


def test_imported_minutes_stay_as_long_as_recorded_ones_of_the_moment_of_their_import(
    connection: sqlite3.Connection,
) -> None:
    assert prune_minutes(connection, NOON_MS, 1000) == 0
    assert left(connection) == [MINUTES, MINUTES]
    prune_minutes(connection, NOON_MS + 1, 1000)
    assert left(connection) == [MINUTES - 1, 0]


def test_no_more_rows_go_than_asked_for_and_the_oldest_first(connection: sqlite3.Connection) -> None:
    assert prune_minutes(connection, NOON_MS * 2, 3) == 3
    assert left(connection) == [MINUTES, MINUTES - 3]
    gone = []
    while rows := prune_minutes(connection, NOON_MS * 2, 7):
        gone.append(rows)
    assert (sum(gone), max(gone)) == (4 * MINUTES - 3, 7)


def test_a_minute_of_more_rows_than_asked_for_goes_whole(connection: sqlite3.Connection) -> None:
    copied = "SELECT * FROM gpu_minute WHERE run = 2 LIMIT 1"
    columns = [column for column, *_ in connection.execute(copied).description]
    others = ", ".join("entity + n.value" if column == "entity" else column for column in columns)
    connection.execute(f"INSERT INTO gpu_minute SELECT {others} FROM ({copied}), json_each('[1, 2, 3, 4, 5]') AS n")
    assert prune_minutes(connection, NOON_MS * 2, 2) == 6
    assert left(connection) == [MINUTES, MINUTES - 1]


def test_quarter_hours_are_not_touched(connection: sqlite3.Connection) -> None:
    before = connection.execute("SELECT * FROM gpu_quarter").fetchall()
    assert len(before) == 2 * -(-MINUTES * MINUTE_MS // QUARTER_MS)
    prune_minutes(connection, NOON_MS * 2, 1000)
    assert connection.execute("SELECT * FROM gpu_quarter").fetchall() == before
