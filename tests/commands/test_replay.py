"""`tokwatch replay` without a screen: which moment it finds, two windows side by side, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.exports.box import NOON_MS
from tests.exports.test_hourly import HOUR_MS, MINUTE_MS, record
from tests.store.records import RUN
from tokwatch.cli import run
from tokwatch.exits import Exit

LATER_MS = NOON_MS + 5 * HOUR_MS
Told = pytest.CaptureFixture[str]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two hours of one GPU, three hours in which nobody watched, and another one. Noon is on 2026-11-21, UTC."""
    path = tmp_path / "store.db"
    record(path, (RUN, NOON_MS, NOON_MS + 2 * HOUR_MS), (RUN, LATER_MS, LATER_MS + HOUR_MS))
    return path


def snapshot(capsys: Told, *arguments: str) -> dict[str, Any]:
    assert run(["replay", *arguments, "--json"]) == Exit.DONE
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: Told, *arguments: str) -> str:
    assert run(["replay", *arguments]) == Exit.FAILED
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("13:30", 90),  # of another session than the newest one
        ("2026-11-21 17:10", 310),
        ("today 12:30", 30),
        ("20m ago", 340),
        ("-20m", 340),
        ("end", 360),
        ("first", 1),
    ],
)
def test_a_moment_is_found_in_whatever_session_holds_it(store: Path, capsys: Told, typed: str, minutes: int) -> None:
    assert snapshot(capsys, str(store), "--at", typed)["tick_ms"] == NOON_MS + minutes * MINUTE_MS


def test_the_session_that_holds_it_is_named(store: Path, capsys: Told) -> None:
    assert snapshot(capsys, str(store), "--at", "13:30")["session"] == "dgx-03-20261121-1201"
    assert snapshot(capsys, str(store), "--at", "17:30")["session"] == "dgx-03-20261121-1701"


def test_where_nothing_is_stored_the_nearest_before_and_after_are_told(store: Path, capsys: Told) -> None:
    told = refused(capsys, str(store), "--at", "15:00")
    assert "nothing is stored of 2026-11-21 15:00:00" in told
    assert "dgx-03-20261121-1201 ends at 2026-11-21 14:00:00" in told
    assert "dgx-03-20261121-1701 begins at 2026-11-21 17:01:00" in told
    assert "ends at" not in refused(capsys, str(store), "--at", "yesterday 15:00")


def test_a_named_session_holds_only_its_own_moments(store: Path, capsys: Told) -> None:
    first = ["--store", str(store), "dgx-03-20261121-1201"]
    assert snapshot(capsys, *first, "--at", "-10m")["tick_ms"] == NOON_MS + 110 * MINUTE_MS
    assert "nothing is stored of 2026-11-21 17:30:00" in refused(capsys, *first, "--at", "2026-11-21 17:30")


def test_in_the_hosts_own_store_yesterday_is_counted_from_now(store: Path, capsys: Told) -> None:
    days = [datetime.now(UTC).date()]  # midnight may pass in between
    told = refused(capsys, "--store", str(store), "--at", "yesterday 4:05")
    days.append(datetime.now(UTC).date())
    assert any(f"nothing is stored of {day - timedelta(days=1)} 04:05:00" in told for day in days)


def test_what_is_not_understood_is_told_with_what_is(store: Path, capsys: Told) -> None:
    assert "yesterday 14:00" in refused(capsys, str(store), "--at", "soon")
    assert "no session 'nosuch'" in refused(capsys, "--store", str(store), "nosuch")


@pytest.mark.parametrize("named", ["nosuch.db", "./nosuch", "/dev/zero", "/"])
def test_what_is_no_file_is_told_and_not_looked_for_among_sessions(capsys: Told, named: str) -> None:
    assert refused(capsys, named).startswith(f"tokwatch: {named} is no file; ")


def test_two_windows_stand_side_by_side(store: Path, capsys: Told) -> None:
    assert run(["replay", str(store), "--compare", "13:00", "17:40", "--window", "30m"]) == Exit.DONE
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "the 30m until each moment"
    assert told[1].split() == ["A", "21", "Nov", "13:00", "B", "21", "Nov", "17:40", "CHANGE"]
    assert told[2].split() == ["output", "tok/s", "8.00", "8.00", "+0.0", "%"]
    [cost] = [line.split() for line in told if line.startswith("GPUs cost")]
    assert cost == ["GPUs", "cost", "USD/h", "2.40", "2.40", "+0.0", "%"]


def test_two_windows_as_json(store: Path, capsys: Told) -> None:
    assert run(["replay", str(store), "--compare", "13:00", "17:10", "--json"]) == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["before"]["tok_s"]["value"] == 8.0
    assert told["after"]["coverage"] == 1.0
    assert told["change"]["usd_per_m_output"]["value"] == pytest.approx(0.0)
