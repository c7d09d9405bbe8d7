"""`tokwatch doctor --store`: the audit of one store, for people and for scripts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.box import CommandBox
from tests.store.audit.books import fill
from tokwatch.store.retention import Retention


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    """A box without a GPU, with a store."""
    box = CommandBox(tmp_path, scenario=None)
    fill(box.store, Retention())
    return box


def test_the_named_store_is_checked_and_nothing_else_is_looked_at(box: CommandBox) -> None:
    ended = box.run(box.plain("doctor", "--store", box.store))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {line.split()[0] for line in ended.stdout.splitlines()} == {"PASS"}
    ids = [line.split()[1] for line in ended.stdout.splitlines()]
    assert ids[0] == "store.file"
    assert "counters.balance" in ids
    assert "terminal" not in ids


def test_without_a_file_it_is_the_usual_store(box: CommandBox) -> None:
    named = box.run(box.plain("doctor", "--store", box.store))
    for words in (box.plain("--store", box.store, "doctor", "--store"), box.plain("doctor", "--store")):
        ended = box.run(words, TOKWATCH_STORE=str(box.store))
        assert (ended.returncode, ended.stdout) == (0, named.stdout)


def test_a_fault_is_told_with_what_to_do_and_by_the_exit_code(box: CommandBox) -> None:
    with closing(sqlite3.connect(box.store)) as connection:
        connection.execute("UPDATE gpu_raw SET energy_mj = energy_mj + 1")
        connection.commit()
    ended = box.run(box.plain("doctor", "--store", box.store, "--json", "--full"))
    assert (ended.returncode, ended.stderr) == (1, "")
    fault = next(check for check in json.loads(ended.stdout) if check["id"] == "counters.balance")
    assert fault["verdict"] == "fail"
    assert "gpu GPU-1, energy_mj: " in fault["found"]
    assert fault["hint"]


def test_a_store_that_is_not_there_is_said_so(box: CommandBox) -> None:
    ended = box.run(box.plain("doctor", "--store", "none.db"))
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("FAIL  store.file ")
    assert "no store at" in ended.stdout


def test_all_else_is_still_looked_at_beside_another_store(box: CommandBox) -> None:
    ended = box.run(box.plain("--store", box.store, "--config", box.config, "doctor"))
    assert f"{box.store}: 1 run" in ended.stdout
    assert "PASS  program" in ended.stdout
