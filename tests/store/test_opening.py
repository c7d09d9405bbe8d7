"""Opening a store: ours, somebody else's, a newer one, or none."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.records import NOON_MS, fill, record
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader
from tokwatch.store.schema import SCHEMA_VERSION
from tokwatch.store.writer import Writer


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    for path in (tmp_path / "file" / "store.db", Path("/proc/tokwatch/store.db")):
        with pytest.raises(StoreError, match="--store") as raised:
            Writer(path).open()
        assert str(path) in str(raised.value)


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS)])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    for open_it in (Writer(path).open, lambda: Reader(path)):
        with pytest.raises(
            StoreError, match=f"newer tokwatch: its schema version is 99, this one knows {SCHEMA_VERSION}"
        ):
            open_it()
    assert path.read_bytes() == before


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "places.sqlite"
    text.write_text("x" * 4096)
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    for path in (text, foreign):
        before = path.read_bytes()
        for open_it in (Writer(path).open, lambda path=path: Reader(path)):
            with pytest.raises(StoreError, match="--store"):
                open_it()
        assert path.read_bytes() == before


def test_reading_without_a_store_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="tokwatch record"):
        Reader(tmp_path / "store.db")


def test_an_open_store_is_ours_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS)])
    connection = sqlite3.connect(path)

    def pragma(name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("application_id") == int.from_bytes(b"tokw", "big")
    assert pragma("user_version") == SCHEMA_VERSION
    assert pragma("auto_vacuum") == 2  # incremental
    assert pragma("journal_mode") == "wal"
    connection.close()


def test_only_a_migration_imports_sqlite_utils(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS)])
    program = (
        "import sys; from pathlib import Path; from tokwatch.store.writer import Writer; "
        f"w = Writer(Path({str(path)!r})); w.open(); w.close(5); print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "False"


def test_a_damaged_page_is_found_and_a_sound_file_is_not_accused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + second * 1000) for second in range(300)])
    with Reader(path) as reader:
        assert reader.faults() == []
        tree = reader._connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'gpu_raw'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((tree - 1) * 4096)
        file.write(b"\0" * 4096)
    with Reader(path) as reader:
        assert reader.faults()
