"""What stays from one run to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from tokwatch.dashboard.remembered import Memory, Remembered


def test_what_is_kept_comes_back_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "tokwatch" / "view.json"
    memory = Memory(path)
    assert memory.recall() == Remembered()
    memory.change(sort="power", falling=True)
    memory.change(theme="tokwatch-light")
    memory.write()
    assert Memory(path).recall() == Remembered(sort="power", falling=True, theme="tokwatch-light")
    assert [found.name for found in path.parent.iterdir()] == ["view.json"]
    assert memory.take_problem() == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"sort": 3}', b'{"columns": "all"}', b"\xff"])
def test_what_is_no_view_is_told_once_and_the_view_is_as_usual(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "view.json"
    path.write_bytes(content)
    memory = Memory(path)
    assert memory.recall() == Remembered()
    assert memory.take_problem().startswith(f"{path} is not what tokwatch wrote: ")
    assert memory.take_problem() == ""


def test_fields_of_a_later_version_are_let_be(tmp_path: Path) -> None:
    path = tmp_path / "view.json"
    path.write_bytes(b'{"sort": "power", "smell": "sweet"}')
    assert Memory(path).recall() == Remembered(sort="power")


def test_where_nothing_can_be_written_that_is_said_once_and_tried_no_more(tmp_path: Path) -> None:
    (tmp_path / "tokwatch").write_text("a file where the directory should be")
    memory = Memory(tmp_path / "tokwatch" / "view.json")
    memory.recall()
    memory.take_problem()
    memory.change(sort="power")
    memory.write()
    assert memory.take_problem().startswith("The view cannot be kept in ")
    memory.change(sort="state")
    memory.write()
    assert memory.take_problem() == ""
    assert memory.recall().sort == "state"


def test_what_has_not_changed_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "view.json"
    memory = Memory(path)
    memory.change(sort="")
    memory.write()
    assert not path.exists()


def test_without_a_path_nothing_is_kept() -> None:
    memory = Memory()
    memory.change(sort="power")
    memory.write()
    assert memory.recall().sort == "power"
    assert memory.take_problem() == ""
