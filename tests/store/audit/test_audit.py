"""The audit as a whole: beside a recorder, on stores that are no longer complete, and on files that are ruins."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.audit.books import RAW_MS, failed, fill, records, verdicts
from tests.store.records import RUN
from tokwatch.store.audit import audit
from tokwatch.store.connection import open_for_writing
from tokwatch.store.recording import Recording
from tokwatch.store.retention import Retention


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "store.db"
    fill(path, Retention(raw_ms=RAW_MS))
    return path


def found(path: Path, check_id: str) -> str:
    return " | ".join(finding.found for finding in audit(path) if finding.id == check_id)


def test_a_store_that_is_being_recorded_into_is_whole_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(open_for_writing(path)) as connection:
        recording = Recording(connection, Retention(raw_ms=600_000, history_ms=RAW_MS))
        run = recording.begin_run(RUN)
        for number, record in enumerate(records(run.id)):
            recording.write(record)
            if number % 47 == 0:
                assert set(verdicts(path).values()) == {"pass"}, record.tick.tick_ms


def test_one_that_was_killed_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(open_for_writing(path)) as connection:
        recording = Recording(connection, Retention(raw_ms=RAW_MS))
        run = recording.begin_run(RUN)
        for record in records(run.id):
            recording.write(record)
    assert set(verdicts(path).values()) == {"pass"}
    assert "what was added fits in 12 intervals" in found(path, "counters.balance")


def test_what_cannot_be_checked_any_more_is_said_and_not_called_balanced(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, Retention(raw_ms=600_000, history_ms=RAW_MS))
    with closing(sqlite3.connect(path)) as connection:  # as if it had been kept beside a reset
        connection.execute(
            "INSERT INTO absolute SELECT (1 << 20) + 1, 0, incarnation, 1, boot_id, '{}' FROM absolute LIMIT 1"
        )
        connection.execute(
            "INSERT INTO absolute SELECT (2 << 20) + 1, 0, incarnation, 1, boot_id, '{}' FROM absolute LIMIT 1"
        )
        connection.commit()
    assert "older than the history that is kept" in found(path, "counters.unchecked")
    checked = [int(found(each, "counters.balance").split()[5]) for each in (path, whole)]
    assert checked[0] < checked[1]


def test_progress_goes_from_nothing_to_all(whole: Path) -> None:
    told: list[float] = []
    list(audit(whole, progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_the_full_check_compares_indices_too(whole: Path) -> None:
    assert "integrity_check" in " ".join(finding.found for finding in audit(whole, full=True))


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\0" * 84, b"no database at all" * 100])
def test_a_file_that_is_no_store_is_one_finding(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    assert failed(path) == {"store.file"}


def test_a_store_that_is_not_there_is_one_finding(tmp_path: Path) -> None:
    assert failed(tmp_path / "store.db") == {"store.file"}


def test_half_a_file_is_findings(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert failed(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_to_the_bytes_of_a_file_is_an_error_of_the_audit(
    whole: Path, tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(100, len(content) - 300))
        content[at : at + 200] = data.draw(st.binary(min_size=1, max_size=1)) * 200
    path = tmp_path / "store.db"
    path.write_bytes(content)
    assert all(finding.id and finding.found for finding in audit(path))
