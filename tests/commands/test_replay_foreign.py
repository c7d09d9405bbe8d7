"""`tokwatch replay` of a file that somebody made to do harm: one plain line, on stderr and where the screen was."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.handover.fleet import BEGINS_MS, TICKS, Names, make_store
from tokwatch.cli import run
from tokwatch.commands import replay
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.exits import Exit
from tokwatch.handover.share import Wish, share
from tokwatch.store.errors import StoreError


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    made = make_store(tmp_path / "store.db", Names())
    wish = Wish(made, BEGINS_MS, BEGINS_MS + TICKS * 1000)
    share(tmp_path / "store.db", tmp_path / "cut.db", wish, on_tick=lambda tick_ms: None)
    return tmp_path / "cut.db"


def changed(path: Path, statement: str, values: Sequence[object] = ()) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(statement, values)


def garbled_chunks(path: Path) -> None:
    changed(path, "UPDATE gpu_chunk SET body = ?", (zlib.compress(b"nothing of ours"),))


def broken_events(path: Path) -> None:
    changed(path, "UPDATE event SET body = '{' WHERE kind = 'state'")


def talking_schema(path: Path) -> None:
    changed(path, "UPDATE sqlite_master SET sql = replace(sql, 'INTEGER', char(10, 27) || '[31m') WHERE name = 'tick'")


@pytest.mark.parametrize("harm", [garbled_chunks, broken_events, talking_schema])
@pytest.mark.parametrize("words", [["--json"], ["--json", "--at", "end"], ["--compare", "first", "end"], []])
def test_it_is_one_plain_line(
    file: Path, capsys: pytest.CaptureFixture[str], harm: Callable[[Path], None], words: Sequence[str]
) -> None:
    harm(file)
    assert run(["replay", str(file), *words]) == Exit.FAILED
    told = capsys.readouterr().err
    assert told.startswith("tokwatch: ")
    assert told.count("\n") == 1
    assert told.rstrip("\n").isprintable()


def test_the_screen_ends_with_the_same_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_events(file)
    ended: list[TokwatchApp] = []
    usual = TokwatchApp.run

    def headless(app: TokwatchApp) -> None:
        ended.append(app)
        usual(app, headless=True)

    monkeypatch.setattr(replay, "can_draw", lambda: True)
    monkeypatch.setattr(TokwatchApp, "run", headless)
    assert run(["replay", str(file)]) == Exit.FAILED
    (app,) = ended
    assert isinstance(app.failure, StoreError)
    assert str(app.failure).startswith(f"{file} is damaged, or was not made by tokwatch: ")


def test_a_store_that_went_away_while_it_was_opened_is_told_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[TokwatchApp] = []
    usual = TokwatchApp.run

    def headless(app: TokwatchApp) -> None:
        file.unlink()
        ended.append(app)
        usual(app, headless=True)

    monkeypatch.setattr(replay, "can_draw", lambda: True)
    monkeypatch.setattr(TokwatchApp, "run", headless)
    assert run(["replay", str(file)]) == Exit.FAILED
    assert str(ended[0].failure) == f"{file} is gone: somebody moved or deleted it while it was looked at"


def test_the_own_store_is_not_taken_for_one_from_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of one's own in it is nobody else's business."""
    own, given = tmp_path / "store.db", tmp_path / "given.db"
    make_store(own, Names())
    changed(own, "CREATE TABLE notes (text)")
    given.write_bytes(own.read_bytes())
    assert run(["--store", str(own), "replay", "--json", "--at", "end"]) == Exit.DONE
    assert run(["--store", str(own), "replay", str(own), "--json", "--at", "end"]) == Exit.DONE
    assert run(["--store", str(own), "replay", str(given), "--json", "--at", "end"]) == Exit.FAILED
    assert "holds table 'notes', which no store of tokwatch has" in capsys.readouterr().err
