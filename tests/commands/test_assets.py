"""`tokwatch assets`: what it prints is what the machine takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tokwatch.cli import run
from tokwatch.cli.assets import NAMES
from tokwatch.commands.assets import ASSETS, text_of, texts_of

PROGRAM = ["/opt/tokwatch/bin/tokwatch"]


def checked_by(program: str) -> str:
    """The program's path; skips the test where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: the asset was not checked by it")
    return found


def settings_of(unit: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))


def test_without_a_name_it_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["assets"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMES) == list(ASSETS)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "prometheus"])
def test_every_asset_of_one_file_is_printed_for_this_machine(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(["assets", name]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith("\n")
    assert "{tokwatch}" not in printed
    assert "{protect_home}" not in printed


@pytest.mark.parametrize("name", NAMES)
def test_every_asset_is_written_into_a_new_directory(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "new" / "folder"
    assert run(["assets", name, str(folder)]) == 0
    told = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [folder / path for path in texts_of(name, PROGRAM)]
    assert set(told) == {file for file in folder.rglob("*") if file.is_file()}


def test_the_services_and_their_user_are_written_together(tmp_path: Path) -> None:
    assert run(["assets", "systemd", str(tmp_path)]) == 0
    assert {file.name for file in tmp_path.iterdir()} == {
        "tokwatch.service",
        "tokwatch-agent.service",
        "sysusers.conf",
    }


def test_files_that_are_only_of_use_together_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["assets", "prometheus"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "name a directory for them: tokwatch assets prometheus DIR" in said.err


def test_writing_again_changes_nothing(tmp_path: Path) -> None:
    assert run(["assets", "prometheus", str(tmp_path)]) == 0
    assert run(["assets", "prometheus", str(tmp_path)]) == 0


def test_a_file_of_yours_is_not_written_over_and_nothing_else_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    yours = tmp_path / "prometheus.yml"
    yours.write_text("global: {}\n")
    assert run(["assets", "prometheus", str(tmp_path)]) == 1
    assert f"nothing was written: {yours} differs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [yours]
    assert yours.read_text() == "global: {}\n"


def test_a_place_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert run(["assets", "grafana", str(file)]) == 1
    assert f"cannot write {file}" in capsys.readouterr().err


UNITS = ["systemd", "agent"]


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(tmp_path: Path, name: str) -> None:
    verify = checked_by("systemd-analyze")
    unit = tmp_path / "tokwatch-checked.service"
    unit.write_text(text_of(name, ["/bin/true"]))
    checked = subprocess.run([verify, "verify", unit], capture_output=True, text=True, check=False)
    if "Failed to initialize" in checked.stderr:
        pytest.skip(f"systemd-analyze cannot run here: {checked.stderr.strip()}")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_is_hardened(tmp_path: Path, name: str) -> None:
    security = checked_by("systemd-analyze")
    unit = tmp_path / "tokwatch-checked.service"
    unit.write_text(text_of(name, PROGRAM))
    # The threshold is ten times the exposure: up to 3.0 of 10 passes.
    command = [security, "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in checked.stderr:
        pytest.skip("this systemd-analyze cannot judge a file")
    assert checked.returncode == 0, checked.stdout[-2000:]


def test_the_units_store_is_the_one_that_viewers_look_for() -> None:
    from tokwatch.store.location import SYSTEM_DIRECTORY

    settings = settings_of(text_of("systemd", PROGRAM))
    assert f"/var/lib/{settings['StateDirectory']}" == str(SYSTEM_DIRECTORY)
    assert settings["StateDirectoryMode"] == "2750"
    assert settings["ExecStart"] == "/opt/tokwatch/bin/tokwatch record --wait"


def test_the_agent_reads_the_recorders_store_as_the_same_user() -> None:
    agent, recorder = settings_of(text_of("agent", PROGRAM)), settings_of(text_of("systemd", PROGRAM))
    assert agent["ExecStart"] == "/opt/tokwatch/bin/tokwatch agent --listen"
    for key in ("User", "Group", "StateDirectory", "StateDirectoryMode", "UMask", "Environment"):
        assert agent[key] == recorder[key]


@pytest.mark.parametrize(
    ("program", "protect"),
    [("/opt/tokwatch/bin/tokwatch", "yes"), ("/home/ada/.local/bin/tokwatch", "read-only")],
)
def test_a_program_in_somebodys_home_stays_visible_to_the_service(program: str, protect: str) -> None:
    assert settings_of(text_of("systemd", [program]))["ProtectHome"] == protect


def test_a_path_with_a_space_stays_one_word() -> None:
    assert 'ExecStart="/opt/my tools/tokwatch" record' in text_of("systemd", ["/opt/my tools/tokwatch"])


@pytest.mark.parametrize(
    ("name", "command"),
    [("sysusers", ["systemd-sysusers", "--dry-run"]), ("slurm", ["bash", "-n"])],
)
def test_another_programs_own_check_takes_the_asset(tmp_path: Path, name: str, command: list[str]) -> None:
    checked_by(command[0])
    file = tmp_path / ASSETS[name].parts[0]
    file.write_text(text_of(name, PROGRAM))
    checked = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
