"""Pruning: each level goes at its age, the store keeps to its size, and quarter hours stay for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.store.records import NOON_MS, RUN, fill, record
from tests.store.test_sealing import sealed
from tokwatch.ledger.entries import Run
from tokwatch.store.connection import open_for_writing
from tokwatch.store.pruning import LOOK_EVERY_MS, Pruning
from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention
from tokwatch.store.sealed import WINDOW_MS
from tokwatch.store.writer import Writer

RETENTION = Retention(HOUR_MS, DAY_MS, 2 * DAY_MS)
TABLES = ("tick_chunk", "gpu_chunk", "server_chunk", "flow_chunk")


def counts(connection: sqlite3.Connection, *tables: str) -> list[int]:
    return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]


def prune(connection: sqlite3.Connection, now_ms: int, retention: Retention = RETENTION) -> Pruning:
    """Until nothing is left to do, which every look says after a while."""
    pruning = Pruning(connection, retention)
    for _ in range(200):
        pruning.step(now_ms)
    return pruning


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An hour of history, six windows, sealed."""
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + at_ms) for at_ms in range(1000, HOUR_MS, 10_000)])
    sealed(path)
    return path


def test_chunks_go_at_their_age_and_no_earlier(store: Path) -> None:
    connection = open_for_writing(store)
    assert counts(connection, *TABLES) == [6, 6, 6, 6]
    prune(connection, NOON_MS + DAY_MS)
    assert counts(connection, *TABLES) == [6, 6, 6, 6]
    prune(connection, NOON_MS + DAY_MS + 2 * WINDOW_MS)
    assert counts(connection, *TABLES) == [4, 4, 4, 4]
    prune(connection, NOON_MS + 2 * DAY_MS)
    assert counts(connection, *TABLES) == [0, 0, 0, 0]
    connection.close()


def test_quarter_hours_outlive_everything(store: Path) -> None:
    connection = open_for_writing(store)
    before = counts(connection, "gpu_quarter", "flow_quarter", "quarter", "event", "entity", "run")
    prune(connection, NOON_MS + 3650 * DAY_MS)
    assert counts(connection, "gpu_minute", "flow_minute", *TABLES) == [0] * 6
    assert counts(connection, "gpu_quarter", "flow_quarter", "quarter", "event", "entity", "run") == before
    assert before[0] > 0
    connection.close()


def test_what_was_imported_is_as_old_as_its_import(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path)
    writer.open()
    imported_ms = NOON_MS + 100 * DAY_MS
    run = Run(0, "imported", "dgx-04", "", "0.1.0", "UTC", imported_ms, "digest")
    writer.write_import(run, [record(NOON_MS + at_ms) for at_ms in range(1000, HOUR_MS, 60_000)])
    writer.close(10)
    sealed(path)
    connection = open_for_writing(path)
    minutes = counts(connection, "gpu_minute")
    prune(connection, imported_ms + DAY_MS - 1)
    assert counts(connection, "tick_chunk", "gpu_minute") == [6, *minutes]
    prune(connection, imported_ms + DAY_MS + 1)
    assert counts(connection, "tick_chunk", "gpu_minute") == [0, *minutes]
    prune(connection, imported_ms + 2 * DAY_MS + 1)
    assert counts(connection, "gpu_minute") == [0]
    connection.close()


def test_a_store_that_is_too_large_loses_its_oldest_history_and_says_from_when_on_it_has_some(store: Path) -> None:
    connection = open_for_writing(store)
    used = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count")]
    retention = Retention(HOUR_MS, DAY_MS, 2 * DAY_MS, size_bytes=(used[0] - used[1] - 1) * 4096)
    first = connection.execute("SELECT min(last_ms) FROM tick_chunk").fetchone()[0]
    pruning = Pruning(connection, retention)
    pruning.step(NOON_MS + HOUR_MS)
    assert counts(connection, *TABLES) == [5, 5, 5, 5]
    assert pruning.cut_to_ms == first
    connection.close()


def test_the_writer_says_from_when_on_there_are_ticks_once_size_made_some_go(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db", retention=Retention(WINDOW_MS, DAY_MS, DAY_MS, size_bytes=1))
    writer.open()
    run = writer.begin_run(RUN).id
    for at_ms in range(1000, HOUR_MS, 10_000):
        writer.submit(record(NOON_MS + at_ms, run))
    assert writer.close(20)
    assert "size_gb" in (writer.notice or "")
    assert "ticks begin at 2026-11-21 12:" in (writer.notice or "")


def test_without_a_size_nothing_is_cut(store: Path) -> None:
    connection = open_for_writing(store)
    assert prune(connection, NOON_MS + HOUR_MS).cut_to_ms is None
    assert counts(connection, "tick_chunk") == [6]
    connection.close()


def test_when_nothing_was_due_it_looks_again_after_a_while(store: Path) -> None:
    connection = open_for_writing(store)
    pruning = Pruning(connection, RETENTION)
    pruning.step(NOON_MS + DAY_MS)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    pruning.step(NOON_MS + DAY_MS + LOOK_EVERY_MS - 1)
    assert asked == []
    pruning.step(NOON_MS + DAY_MS + LOOK_EVERY_MS)
    assert asked != []
    connection.close()


def test_counters_at_the_edges_of_chunks_go_with_them_and_those_beside_a_reset_stay(store: Path) -> None:
    connection = open_for_writing(store)
    connection.execute("DELETE FROM absolute")
    for second, flags in ((1, 0), (2, 2), (3, 0)):
        connection.execute(
            "INSERT INTO absolute (id, flags, incarnation, at_ns, boot_id, counters) VALUES (?, ?, '', 0, '', '{}')",
            (((NOON_MS + second * 1000) << 20) + 1, flags),
        )
    prune(connection, NOON_MS + DAY_MS + HOUR_MS)
    assert connection.execute("SELECT flags FROM absolute").fetchall() == [(2,)]
    connection.close()


def test_a_recorder_prunes_as_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path, retention=Retention(WINDOW_MS, HOUR_MS, HOUR_MS))
    writer.open()
    run = writer.begin_run(RUN).id
    for at_ms in range(1000, 4 * HOUR_MS, 10_000):
        writer.submit(record(NOON_MS + at_ms, run))
    assert writer.close(20)
    connection = sqlite3.connect(path)
    (oldest_ms,) = connection.execute("SELECT min(first_ms) FROM tick_chunk").fetchone()
    assert NOON_MS + 3 * HOUR_MS - WINDOW_MS <= oldest_ms <= NOON_MS + 3 * HOUR_MS
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_what_was_measured_of_capacity_goes_with_the_minutes_and_the_last_of_a_series_stays(store: Path) -> None:
    connection = open_for_writing(store)
    connection.execute("DELETE FROM event")
    for kind in ("operating", "alert"):
        for key, days in (("a", (0, 1, 2, 6)), ("b", (0,))):
            for day in days:
                connection.execute(
                    "INSERT INTO event (kind, entity, key, tick_ms, position, body, run) VALUES (?, 1, ?, ?, 0, '', 1)",
                    (kind, key, NOON_MS + day * DAY_MS),
                )
    prune(connection, NOON_MS + 5 * DAY_MS)  # two days of minutes: the third day is the first that is kept
    kept = connection.execute("SELECT kind, key, tick_ms FROM event ORDER BY kind, key, tick_ms").fetchall()
    left = [(kind, key, (tick_ms - NOON_MS) // DAY_MS) for kind, key, tick_ms in kept]
    assert left[:5] == [("alert", "a", 0), ("alert", "a", 1), ("alert", "a", 2), ("alert", "a", 6), ("alert", "b", 0)]
    assert left[5:] == [("operating", "a", 2), ("operating", "a", 6), ("operating", "b", 0)]
    connection.close()


def test_years_of_windows_that_are_kept_cost_the_search_for_older_ones_nothing(store: Path) -> None:
    connection = open_for_writing(store)
    connection.executescript(
        "WITH RECURSIVE place (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 5000) "
        "INSERT INTO tick_chunk SELECT first_ms + n * 600000, last_ms + n * 600000, run, ticks, NULL, layout, body "
        f"FROM place, (SELECT * FROM tick_chunk WHERE first_ms >= {NOON_MS + 5 * WINDOW_MS} LIMIT 1)"
    )
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(step, 1)
    Pruning(connection, RETENTION).step(NOON_MS + HOUR_MS)
    assert steps < 2000, "of SQLite's machine; 5000 windows would take some for each"
    connection.close()
