"""`tokwatch demo --fleet N` without a terminal: a plain table, marked as simulated, and nothing is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.box import CommandBox
from tokwatch.cli import run
from tokwatch.exits import Exit


@pytest.mark.parametrize("count", [1, 50])
def test_it_prints_a_table_that_says_what_it_is(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--fleet", str(count)]) == Exit.DONE
    told, error = capsys.readouterr()
    lines = told.splitlines()
    assert "SIMULATED" in lines[0]
    assert f"{count} simulated hosts" in lines[0] or count == 1
    begin = next(at for at, line in enumerate(lines) if line.startswith("HOST "))
    assert len([line for line in lines[begin + 1 : begin + 1 + count] if line]) == count
    assert error == ""
    assert "\x1b" not in told


@pytest.mark.parametrize("count", ["0", "-3", "20000", "many"])
def test_a_number_that_is_none_is_wrong_usage(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        run(["demo", f"--fleet={count}"])
    assert leaving.value.code == Exit.USAGE
    assert "from 1 to 10000" in capsys.readouterr().err


def test_nothing_is_stored(tmp_path: Path) -> None:
    box = CommandBox(tmp_path, scenario=None)
    before = set(tmp_path.rglob("*"))
    assert box.run(box.plain("demo", "--fleet", "3")).returncode == Exit.DONE
    assert set(tmp_path.rglob("*")) == before
