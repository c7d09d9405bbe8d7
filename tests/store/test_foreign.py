"""A file from elsewhere is refused in words, or shown; it never runs anything, hangs, or ends in a traceback."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.handover.fleet import BEGINS_MS, TICKS, Names, make_store
from tests.handover.looking import sessions_of, snapshots
from tokwatch.handover.share import Wish, share
from tokwatch.store.columns import INFLATED_AT_MOST
from tokwatch.store.errors import StoreError
from tokwatch.store.foreign import check_foreign, told_plainly
from tokwatch.store.reader import Reader


@pytest.fixture(scope="module", name="shared")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    run = make_store(folder / "store.db", Names())
    wish = Wish(run, BEGINS_MS + 10_000, BEGINS_MS + TICKS * 1000)
    share(folder / "store.db", folder / "cut.db", wish, on_tick=lambda tick_ms: None)
    return folder / "cut.db"


@pytest.fixture(name="file")
def _file(shared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(shared, tmp_path / "cut.db"))


def shown(path: Path) -> int:
    """Open it as a replay does, and show all of it; how many Snapshots there are."""
    check_foreign(path)
    with told_plainly(path):
        return sum(1 for session in sessions_of(path) for _ in snapshots(path, session))


def shown_or_refused(path: Path) -> int:
    """Any other error fails the test."""
    with contextlib.suppress(StoreError):
        return shown(path)
    return 0


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        for statement in statements:
            connection.execute(statement)


def refused(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        shown(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_file_as_it_was_shared_is_shown(file: Path) -> None:
    assert shown(file) == 20


def test_it_opens_in_a_directory_that_cannot_be_written_to(file: Path) -> None:
    file.parent.chmod(0o500)
    try:
        assert shown(file) == 20
    finally:
        file.parent.chmod(0o700)


ATTACKS: dict[str, tuple[str, ...]] = {
    "a trigger": ("CREATE TRIGGER x AFTER INSERT ON meta BEGIN DELETE FROM run; END",),
    "one more view": ("CREATE VIEW x AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT * FROM n",),
    "one more table": ("CREATE TABLE x (y)",),
    "a virtual table": ("CREATE VIRTUAL TABLE x USING fts5(y)",),
    "an index on an expression": ("CREATE INDEX x ON run (abs(id))",),
    "a table in place of a table": ("DROP TABLE mute", "CREATE TABLE mute (id, made_ms, until_ms, body)"),
    "a view in place of a table": (
        "DROP TABLE gpu_raw",
        "CREATE VIEW gpu_raw AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id FROM n) SELECT * FROM n",
    ),
    "another view": ("DROP VIEW v_event", "CREATE VIEW v_event AS SELECT load_extension('x') FROM event"),
    "a generated column": ("ALTER TABLE mute ADD COLUMN x AS (zeroblob(1000000000))",),
    "a table that is not there": ("DROP TABLE host_raw",),
    "another CHECK": (
        "UPDATE sqlite_master SET sql = replace(sql, 'value TEXT NOT NULL', 'value TEXT NOT NULL CHECK (abs(1))') "
        "WHERE name = 'meta'",
    ),
    "a trigger under another's name": (
        "CREATE TRIGGER _sqlite_migrations AFTER INSERT ON _sqlite_migrations BEGIN SELECT 1; END",
    ),
    "a virtual table under another's name": (
        "DROP TABLE _sqlite_migrations",
        "CREATE VIRTUAL TABLE _sqlite_migrations USING fts5(y)",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_schema_that_is_not_ours_is_refused(file: Path, attack: str) -> None:
    changed(file, *ATTACKS[attack])
    assert refused(file)


ROWS: dict[str, str] = {
    "a tick in the year 292 million": "UPDATE tick_chunk SET last_ms = 9223372036854775807",
    "a run that began before all time": "UPDATE run SET started_ms = -9223372036854775808",
    "an entity beyond the key": "UPDATE entity SET id = 1 << 40 WHERE kind = 'gpu'",
    "a run of a kind that is none": "UPDATE run SET kind = 'rumoured'",
    "a price for ever": "UPDATE price_version SET effective_from_ms = 1 << 62",
    "a month that is none": "INSERT INTO price_close VALUES ('2026-77', 1, 1)",
    "a range that ends before it begins": "UPDATE session SET to_ms = from_ms - 1",
}


@pytest.mark.parametrize("what", ROWS)
def test_rows_that_cannot_be_are_refused(file: Path, what: str) -> None:
    changed(file, ROWS[what])
    assert "that cannot be" in refused(file)


TEXTS: dict[str, str] = {
    "a body of megabytes": "UPDATE event SET body = printf('{\"text\":\"%*c\"}', 2000000, 'x') WHERE kind = 'problem'",
    "a host name of a book": "UPDATE run SET host = printf('%*c', 100000, 'x')",
    "what was cut is a lie": "UPDATE meta SET value = '[1' WHERE key = 'offered_runs'",
    "runs that are no list": "UPDATE session SET runs = '{}'",
    "a flow that is of nothing": "UPDATE entity SET key = 'nothing' WHERE kind = 'flow'",
    "a state that is none": 'UPDATE event SET body = \'{"state":77,"since_ms":1,"confirmed":true,"note":""}\' '
    "WHERE kind = 'state'",
    "NaN in a body": "UPDATE event SET body = '{\"state\":NaN}' WHERE kind = 'state'",
    "prices that are none": 'UPDATE price_version SET book = \'{"usd_per_gpu_hour":"NaN"}\'',
    "a zone that is a path": "UPDATE run SET timezone = '../../etc/passwd'",
}


@pytest.mark.parametrize("what", TEXTS)
def test_texts_that_nobody_recorded_are_refused_or_harmless(file: Path, what: str) -> None:
    changed(file, TEXTS[what])
    assert shown_or_refused(file) <= 20


@pytest.mark.parametrize("table", ["tick_chunk", "gpu_chunk", "flow_chunk"])
def test_a_bomb_in_a_chunk_is_not_inflated(file: Path, table: str) -> None:
    bomb = zlib.compress(bytes(INFLATED_AT_MOST + 1), 1)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"UPDATE {table} SET body = ?", (bomb,))
    with pytest.raises(StoreError, match="damaged"):
        shown(file)


def test_labels_are_cleaned_again(file: Path) -> None:
    changed(file, "UPDATE run SET host = 'x' || char(27) || ']0;evil' || char(7)", "UPDATE entity SET host = 'x'")
    with Reader(file) as reader:
        assert all("\x1b" not in run.host for run in reader.runs())


def test_another_program_s_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all, but long enough to look into: " * 10)
    assert "cannot read" in refused(tmp_path / "text")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE x (y)")
    assert "another program" in refused(tmp_path / "other.db")
    assert "no file" in refused(tmp_path)


def test_errors_that_have_words_of_their_own_keep_them(file: Path) -> None:
    with pytest.raises(StoreError, match="KeyError"), told_plainly(file):
        raise KeyError(7)
    with pytest.raises(KeyError), told_plainly(file, expected=(KeyError,)):
        raise KeyError(7)


def damages(size: int) -> st.SearchStrategy[Callable[[bytearray], bytearray]]:
    def flip(places: list[tuple[int, int]]) -> Callable[[bytearray], bytearray]:
        def damage(data: bytearray) -> bytearray:
            for at, bits in places:
                data[at] ^= bits
            return data

        return damage

    def end(length: int) -> Callable[[bytearray], bytearray]:
        return lambda data: data[:length]

    flips = st.lists(st.tuples(st.integers(0, size - 1), st.integers(1, 255)), min_size=1, max_size=12).map(flip)
    return flips | st.integers(0, size - 1).map(end)


@pytest.fixture(scope="module", name="scratch")
def _scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch") / "damaged.db"


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_damaged_file_is_told_as_such_or_shown(shared: Path, scratch: Path, data: st.DataObject) -> None:
    whole = bytearray(shared.read_bytes())
    scratch.write_bytes(data.draw(damages(len(whole)))(whole))
    assert shown_or_refused(scratch) <= 20
