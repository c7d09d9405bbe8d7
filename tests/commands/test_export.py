"""`tokwatch export hourly`: data on stdout or in a directory, messages on stderr."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exports.box import NOON_MS
from tests.exports.test_hourly import HOUR_MS, SIMULATED, record
from tests.store.records import RUN
from tokwatch.cli import run
from tokwatch.exits import Exit


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    record(path, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    return path


def export(store: Path, *arguments: str) -> int:
    return run(["export", "hourly", "--store", str(store), *arguments])


def test_every_table_at_every_grain_costs_the_same(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for by, column in (("gpu", "cost_total_usd"), ("model", "cost_total_usd"), ("focus", "EffectiveCost")):
        for grain in ("quarter", "hour", "day", "month"):
            assert export(store, "--by", by, "--grain", grain, "--format", "json") == Exit.DONE
            rows = json.loads(capsys.readouterr().out)
            assert sum(float(row[column]) for row in rows) == pytest.approx(2.40)
            assert by == "focus" or list(rows[0])[:2] == [f"{grain}_start", f"{grain}_end"]


def test_csv_is_utf8_with_plain_newlines_whatever_the_locale(store: Path) -> None:
    arguments = ["export", "hourly", "--store", str(store)]
    done = subprocess.run(
        [sys.executable, "-m", "tokwatch", *arguments], capture_output=True, env={"LC_ALL": "C"}, check=True
    )
    assert b"\r" not in done.stdout
    [row] = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert row["gpu_model"] == "NVIDIA H100 80GB HBM3"


def test_a_full_disk_is_told_in_one_line(store: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tokwatch", "export", "hourly", "--store", str(store)],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == Exit.FAILED
    assert done.stderr.decode() == "tokwatch: not all of it could be written: No space left on device\n"


def test_markdown_and_json_lines(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(store, "--format", "markdown") == Exit.DONE
    assert capsys.readouterr().out.startswith("| hour_start | hour_end |")
    assert export(store, "--format", "jsonl") == Exit.DONE
    assert json.loads(capsys.readouterr().out)["hour_start"] == "2026-11-21T12:00:00Z"


def test_times_without_a_zone_are_those_of_tz(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """17:45 in Kathmandu is noon UTC: the first of its hours that the store holds ends at 18:00."""
    zone = ("--tz", "Asia/Kathmandu", "--format", "jsonl")
    assert export(store, *zone, "--since", "2026-11-21T18:00") == Exit.DONE
    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["hour_start"], row["observed_s"]) == ("2026-11-21T18:00:00+05:45", 2700)
    assert export(store, *zone, "--until", "2026-11-21T18:00") == Exit.DONE
    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["hour_start"], row["observed_s"]) == ("2026-11-21T17:00:00+05:45", 900)


def test_a_directory_gets_files_and_stderr_what_was_done(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "out"
    assert export(store, "--to", str(to)) == Exit.DONE
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"tokwatch: 1 rows in 1 files in {to}: 1 written, 0 already as they should be\n"
    assert json.loads((to / "gpu-hour.csv.manifest.json").read_bytes())["files"][0]["complete"] is False


def test_a_simulated_store_without_the_flag_is_a_message_and_a_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store.db"
    record(store, (SIMULATED, NOON_MS, NOON_MS + HOUR_MS))
    assert export(store, "--format", "jsonl") == Exit.PARTIAL
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "tokwatch: left out, for it is simulated: dgx-03-20261121-1201; --simulated puts it in\n"
    assert export(store, "--format", "jsonl", "--simulated") == Exit.DONE
    assert json.loads(capsys.readouterr().out)["simulated"] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tz", "Mars/Olympus"], "knows no time zone 'Mars/Olympus'"),
        (["--since", "soon"], "'soon' is no date and time"),
        (["--session", "nope"], "no session 'nope'"),
        (["--since", "2026-11-21", "--until", "2026-11-20"], "--until 2026-11-20 is not later than --since 2026-11-21"),
    ],
)
def test_what_cannot_be_done_is_one_line_on_stderr_and_nothing_on_stdout(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert export(store, *arguments) == Exit.FAILED
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1


def test_it_never_loads_textual(store: Path) -> None:
    code = "import sys; from tokwatch.cli import run; run(sys.argv[1:]); sys.exit('textual' in sys.modules)"
    subprocess.run([sys.executable, "-c", code, "export", "hourly", "--store", str(store)], check=True)
