from __future__ import annotations

from pathlib import Path

import pytest

from tokwatch.cli import run


def test_it_lists_keys_by_name_and_the_themes_with_those_of_the_user(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys.toml").write_text('pause = "p"\npicture = "P"\n')
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text('base = "light"\n')
    assert run(["keys", "--config", str(tmp_path / "config.toml")]) == 0
    told = capsys.readouterr()
    rows = [row.split() for row in told.out.splitlines()]
    assert ["pause", "p", "Pause", "or", "play"] in rows
    assert ["mine", "yours,", "on", "light"] in rows
    assert told.err == ""


def test_what_is_wrong_with_the_users_files_makes_it_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys.toml").write_text('exprot = "p"\n')
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text('blub = "#000000"\n')
    assert run(["keys", "--config", str(tmp_path / "config.toml")]) == 1
    told = capsys.readouterr()
    assert "nothing is called exprot" in told.err
    assert "mine.toml:1: there is no role blub" in told.err
    assert "Pause or play" in told.out
