"""What is read from the store before anything else, and that nothing there can stop the start."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.first_sight.frames import small_frame
from tokwatch.first_sight.kept import FRAME_KEY, LARGEST
from tokwatch.first_sight.lookup import kept_frame, likely_store
from tokwatch.store.connection import open_for_writing
from tokwatch.store.meta import keep_screen


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "a ?#%20 store.db"
    connection = open_for_writing(path)
    keep_screen(connection, small_frame().encode(), "a Snapshot")
    connection.close()
    return path


def _tell(store: Path, value: object) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, FRAME_KEY))


def test_the_frame_that_a_dashboard_kept_is_found(store: Path) -> None:
    found = kept_frame(str(store))
    assert found is not None
    assert found.encode() == small_frame().encode()


def test_the_store_is_left_as_it_is(store: Path) -> None:
    before = store.read_bytes()
    kept_frame(str(store))
    assert store.read_bytes() == before


@pytest.mark.parametrize("text", ["", "nonsense", "1\t2\t3", "x" * (LARGEST + 1)])
def test_a_frame_that_cannot_be_read_is_none(store: Path, text: str) -> None:
    _tell(store, text)
    assert kept_frame(str(store)) is None


def test_a_store_without_a_frame_has_none(tmp_path: Path) -> None:
    open_for_writing(tmp_path / "new.db").close()
    assert kept_frame(str(tmp_path / "new.db")) is None


def test_no_store_and_no_database_are_none(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, and longer than the header of one " * 20)
    for path in (tmp_path / "missing", tmp_path, tmp_path / "text"):
        assert kept_frame(str(path)) is None
    assert not (tmp_path / "missing").exists()


def test_the_store_is_the_one_that_is_named_else_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("TOKWATCH_STORE", raising=False)
    monkeypatch.setattr("tokwatch.first_sight.lookup._SYSTEM_STORE", str(tmp_path / "system.db"))
    assert likely_store(None) == f"{tmp_path}/tokwatch/store.db"
    (tmp_path / "system.db").touch()
    assert likely_store(None) == f"{tmp_path}/system.db"
    monkeypatch.setenv("TOKWATCH_STORE", "/from/environment.db")
    assert likely_store(None) == "/from/environment.db"
    assert likely_store("/named.db") == "/named.db"
