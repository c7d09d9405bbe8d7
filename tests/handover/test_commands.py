"""`tokwatch sessions` as it is typed: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.handover.fleet import BEGINS_MS, Names, make_store
from tests.handover.looking import sessions_of
from tokwatch.cli import run
from tokwatch.exits import Exit
from tokwatch.store.reader import Reader


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    make_store(tmp_path / "store.db", Names())
    return tmp_path / "store.db"


def sessions(store: Path, *words: str | Path) -> int:
    return run(["--store", str(store), "sessions", *map(str, words)])


def test_a_share_says_what_was_replaced_and_what_is_still_to_be_seen(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sessions(store, "share", "--from", "12:01:20", "--to", "+10s", "--out", tmp_path / "cut.db") == Exit.DONE
    told = capsys.readouterr()
    assert told.out == ""
    assert "10s, 11 ticks" in told.err
    assert "names replaced: 1 GPU, 1 alert, 1 deployment, 1 host, 1 model, 2 probes," in told.err
    assert "still to be seen: prices, times" in told.err
    assert "left out, as nobody knows what they hold: events, 1 of gossip" in told.err
    (session,) = sessions_of(tmp_path / "cut.db")
    assert (session.from_ms, session.to_ms) == (BEGINS_MS + 19_999, BEGINS_MS + 30_000)


def test_a_share_with_names_says_so(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("share", "--keep-names", "--no-prices", "--out", tmp_path / "cut.db")
    assert sessions(store, *words) == Exit.DONE
    assert "every name is in it, and times and all figures" in capsys.readouterr().err
    with Reader(tmp_path / "cut.db") as reader:
        assert ({run.host for run in reader.runs()}, reader.prices()) == ({"dgx-03"}, [])


def test_a_file_is_replaced_only_when_told_to(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "cut.db"
    assert sessions(store, "share", "--out", out) == Exit.DONE
    assert sessions(store, "share", "--out", out) == Exit.FAILED
    assert "--force" in capsys.readouterr().err
    assert sessions(store, "share", "--out", out, "--force") == Exit.DONE


def test_a_range_gets_a_name_and_loses_it(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sessions(store, "name", "the outage", "--from", "12:01:10", "--to", "12:01:15") == Exit.DONE
    assert sessions(store, "--json") == Exit.DONE
    listed = json.loads(capsys.readouterr().out)
    assert [(each["id"], each["named"], each["replayable"]) for each in listed] == [
        ("dgx-03-20261121-1201", False, True),
        ("the outage", True, True),
    ]
    assert sessions(store, "name", "the outage") == Exit.FAILED
    assert "choose another name" in capsys.readouterr().err
    assert sessions(store, "name", "the outage", "--remove") == Exit.DONE
    assert len(sessions_of(store)) == 1


def test_a_named_range_is_listed_from_its_first_moment_with_its_length(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions(store, "name", "the outage", "--from", "12:01:00", "--to", "12:01:15")
    sessions(store)
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("the outage")]
    assert line.split()[2:] == ["recorded", "15s", "dgx-03", "2026-11-21", "12:01–12:01"]


def test_a_named_range_is_shared_by_its_name(store: Path, tmp_path: Path) -> None:
    sessions(store, "name", "the outage", "--from", "12:01:10", "--to", "12:01:15")
    assert sessions(store, "share", "the outage", "--out", tmp_path / "cut.db") == Exit.DONE
    (session,) = sessions_of(tmp_path / "cut.db")
    assert (session.id, session.to_ms - session.from_ms) == ("host-1-20261121-1201", 5_001)


def test_a_time_that_is_none_is_told(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sessions(store, "share", "--from", "soon") == Exit.FAILED
    assert "--from soon: not a time" in capsys.readouterr().err
    assert sessions(store, "share", "--from", "12:01:20", "--to", "12:01:10") == Exit.FAILED
    assert "--to is not later than --from" in capsys.readouterr().err


def test_files_are_merged(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_store(tmp_path / "other.db", Names(host="dgx-04", boot="b"))
    all_ = tmp_path / "all.db"
    assert run(["sessions", "merge", str(all_), str(store), str(tmp_path / "other.db")]) == Exit.FAILED
    assert "--prices-of" in capsys.readouterr().err
    words = ["sessions", "merge", str(all_), str(store), str(tmp_path / "other.db"), str(store)]
    assert run([*words, "--prices-of", str(store)]) == Exit.DONE
    told = capsys.readouterr().err
    assert "2 recordings of dgx-03, dgx-04, 60 ticks" in told
    assert "1 of them in several files, and in it once" in told


def test_a_file_is_not_merged_into_itself(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sessions", "merge", str(store), str(store)]) == Exit.FAILED
    assert "both what is made and what it is made of" in capsys.readouterr().err
