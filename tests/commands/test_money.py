"""`tokwatch money`: a report on stdout, JSON for programs, messages on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.exports.box import NOON_MS
from tests.exports.test_hourly import HOUR_MS, record
from tests.store.records import RUN
from tokwatch.cli import run
from tokwatch.exits import Exit


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    record(path, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    return path


def test_a_plain_report(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["money", "--store", str(store)]) == Exit.DONE
    told = capsys.readouterr()
    assert told.out.startswith("tokwatch money  dgx-03  1 GPU\n")
    assert all(len(line) <= 100 for line in told.out.splitlines())
    assert told.err == ""


def test_json_has_stable_names_with_their_units(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = ["--what-if", "gpu_price=0.5", "--rent", "2.35", "--curve", "--demand", "--by", "host"]
    assert run(["money", "--store", str(store), "--json", *questions]) == Exit.DONE
    report = json.loads(capsys.readouterr().out)
    assert report["whole"]["bill"]["total_usd"]["value"] == pytest.approx(2.40)
    assert report["whole"]["costs"]["usd_per_m_output_only"]["value"] == pytest.approx(2.40 / 0.0288)
    assert report["whole"]["earned"]["revenue_usd"] == {
        "value": None,
        "why": "no token prices set",
        "infinite": False,
        "coverage": 1.0,
        "marks": [],
    }
    assert [row["name"] for row in report["rows"]] == ["dgx-03"]
    assert report["what_if"]["changes"] == {"gpu_price": 0.5}
    assert len(report["demand"]["hours"]) == 24
    assert report["curves"][0]["points"][0]["tok_s_gpu"]["value"] == pytest.approx(24.0)
    assert report["schema_version"] == 1


def test_a_period_that_holds_nothing_is_a_message_and_a_code(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["money", "--store", str(store), "--since", "2030-01-01"]) == Exit.PARTIAL
    told = capsys.readouterr()
    assert told.out == ""
    assert "tokwatch sessions" in told.err


@pytest.mark.parametrize(
    "arguments",
    [["--what-if", "price=1"], ["--mix", "a=b:30"], ["--since", "yesterday"], ["--session", "none"]],
)
def test_a_question_that_makes_no_sense_is_told_in_a_line(
    store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["money", "--store", str(store), *arguments]) == Exit.FAILED
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("tokwatch: ")
    assert told.err.count("\n") == 1
