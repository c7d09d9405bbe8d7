"""Who may import whom: the contracts of pyproject.toml, and commands that never load the dashboard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.box import CommandBox

ROOT = Path(__file__).parents[1]

# Runs the command line, then says on the last line of stderr which forbidden modules it has loaded.
RUNNER = """
import sys
from tokwatch.cli import run
try:
    code = run(sys.argv[1:])
except SystemExit as leaving:
    code = leaving.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules} & {"textual", "rich"}), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> CommandBox:
    box = CommandBox(tmp_path_factory.mktemp("box"))
    assert box.run(box.command("record", "--for", "0.2s")).returncode == 0
    return box


NOBODY = "http://127.0.0.1:1"  # cannot be reached: 1 is how that is told


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["record", "--for", "0.2s"],
        ["once", "--json", "--for", "0.2s"],
        ["sessions"],
        ["replay", "--json"],
        ["export", "hourly"],
        ["doctor"],
        ["agent", "--stdio"],
        ["targets"],
        ["once", "--prometheus", NOBODY],
        ["once", "--hosts", "localhost", "--for", "0.2s"],
        ["--prometheus", NOBODY],
        ["demo", "--fleet", "3"],
        ["export", "hourly", "--prometheus", NOBODY, "--since", "2026-01-01"],
    ],
    ids=" ".join,
)
def test_a_command_without_a_screen_never_imports_textual(box: CommandBox, words: list[str]) -> None:
    ended = box.run([sys.executable, "-c", RUNNER, *box.command(*words)[3:]], TOKWATCH_SSH="false")
    expected = (1,) if NOBODY in words else (0, 4)
    assert ended.returncode in expected or words == ["targets"], ended.stderr
    assert ended.stderr.splitlines()[-1] == "loaded:"


def test_asking_for_the_version_loads_no_part_of_tokwatch_that_it_does_not_need(box: CommandBox) -> None:
    ended = box.run([sys.executable, "-X", "importtime", "-m", "tokwatch", "--version"])
    for heavy in ("asyncio", "sqlite3", "aiohttp", "msgspec", "psutil", "pynvml", "textual"):
        assert f" {heavy}\n" not in ended.stderr, heavy


def test_no_room_imports_what_it_must_not_know() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed")
    ended = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
