"""`tokwatch demo`: simulated, said so everywhere, and never in a store that holds something real."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.commands.box import CommandBox


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> CommandBox:
    return CommandBox(tmp_path_factory.mktemp("demo"), scenario=None)


@pytest.fixture(scope="module")
def printed(box: CommandBox) -> str:
    """What the demo prints where there is no terminal."""
    ended = box.run(box.plain("demo"))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_demo_says_that_it_is_simulated(printed: str) -> None:
    assert "SIMULATED" in printed.splitlines()[0]
    assert "\x1b" not in printed


def test_the_demo_shows_what_stands_idle_and_what_it_costs(printed: str) -> None:
    assert "parked" in printed
    assert "unallocated" in printed
    assert "USD/M output" in printed


def test_the_demo_keeps_to_a_store_of_its_own(box: CommandBox, printed: str) -> None:
    assert [path.name for path in (box.folder / "state" / "tokwatch").glob("*.db")] == ["demo.db"]


def test_every_row_of_the_demo_is_marked(box: CommandBox, printed: str) -> None:
    demo = str(box.folder / "state" / "tokwatch" / "demo.db")
    for table in ("gpu", "model"):
        rows = list(
            csv.DictReader(
                io.StringIO(
                    box.run(box.plain("export", "hourly", "--by", table, "--simulated", "--store", demo)).stdout
                )
            )
        )
        assert rows
        assert {row["simulated"] for row in rows} == {"true"}


def test_the_demo_refuses_a_store_that_exists(box: CommandBox, tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    real.write_bytes(b"somebody's record")
    ended = box.run(box.plain("demo", "--store", real))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "name a new file" in ended.stderr
    assert real.read_bytes() == b"somebody's record"
