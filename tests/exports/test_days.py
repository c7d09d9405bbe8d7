"""`--to DIR`: a file a day with its manifest, the same however often it is exported."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.exports.box import NOON_MS
from tests.exports.test_hourly import HOUR_MS, MINUTE_MS, SIMULATED, record
from tests.store.records import RUN
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hourly import Asked, Exported, export_days
from tokwatch.exports.periods import Grain, Period
from tokwatch.exports.tables import By
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.rows import PriceVersion
from tokwatch.store.writer import Writer

DAY_MS = 24 * HOUR_MS
LATE_MS = NOON_MS + 11 * HOUR_MS  # 23:00 UTC: two hours lie on two days


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """From 23:00 to 01:00 UTC."""
    path = tmp_path / "store.db"
    record(path, (RUN, LATE_MS, LATE_MS + 2 * HOUR_MS))
    return path


def export(store: Path, to: Path, now_ms: int = LATE_MS + 2 * HOUR_MS, **asked: Any) -> Exported:
    return export_days(store, Asked(**asked), to, now_ms)


def manifest(to: Path, name: str = "gpu-hour.csv") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((to / f"{name}.manifest.json").read_bytes())
    return found


def names(to: Path) -> list[str]:
    return sorted(path.name for path in to.iterdir())


def test_each_day_is_a_file_that_the_manifest_tells_of(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    exported = export(store, to)
    assert (exported.rows, exported.files, exported.replaced) == (2, 2, 2)
    assert names(to) == ["gpu-hour-2026-11-21.csv", "gpu-hour-2026-11-22.csv", "gpu-hour.csv.manifest.json"]
    told = manifest(to)
    first, second = told["files"]
    assert (told["table"], told["schema_version"], told["format"], told["timezone"]) == ("gpu_hour", "2", "csv", "UTC")
    assert (first["start"], first["end"], first["rows"], first["coverage"]) == (
        "2026-11-21T00:00:00Z",
        "2026-11-22T00:00:00Z",
        1,
        1.0,
    )
    assert (first["sums"]["energy_board_j"], first["sums"]["observed_s"]) == (2_160_000, 3600)
    assert first["amounts"]["USD"]["cost_total_usd"] == pytest.approx(2.40)
    assert (first["complete"], second["complete"], first["price_versions"]) == (True, False, ["1"])
    content = (to / first["name"]).read_bytes()
    assert (first["bytes"], first["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    [row] = csv.DictReader(content.decode().splitlines())
    assert row["hour_start"] == "2026-11-21T23:00:00Z"


def test_a_day_that_something_may_be_missing_of_says_so_until_it_is_whole(store: Path, tmp_path: Path) -> None:
    to, midnight_ms = tmp_path / "out", LATE_MS + HOUR_MS
    partial = {"a store did not answer": Period(LATE_MS, midnight_ms)}
    export_days(store, Asked(), to, midnight_ms + DAY_MS, partial=partial)
    told = [(file["complete"], file["missing"]) for file in manifest(to)["files"]]
    assert told == [(False, ["a store did not answer"]), (False, [])]
    export(store, to, midnight_ms + DAY_MS)
    assert [(file["complete"], file["missing"]) for file in manifest(to)["files"]] == [(True, []), (False, [])]


def test_a_manifest_of_before_is_read_as_one_of_whole_days(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(store, to)
    told = manifest(to)
    for file in told["files"]:
        del file["missing"]
    (to / "gpu-hour.csv.manifest.json").write_text(json.dumps(told))
    assert export(store, to).replaced == 0


def test_made_again_nothing_is_touched(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(store, to)
    before = {path.name: path.stat().st_mtime_ns for path in to.iterdir()}
    assert export(store, to).replaced == 0
    assert {path.name: path.stat().st_mtime_ns for path in to.iterdir()} == before


def test_a_restated_day_is_replaced_and_the_others_are_not(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(store, to)
    writer = Writer(store)
    writer.open()
    midnight_ms = LATE_MS + HOUR_MS
    body = msgspec.json.encode(Prices("USD", 9.0))
    writer.add_price(PriceVersion(0, midnight_ms, midnight_ms, "restated", body, midnight_ms + DAY_MS))
    assert writer.close(10)
    assert export(store, to).replaced == 1
    first, second = manifest(to)["files"]
    assert (first["price_versions"], second["price_versions"]) == (["1"], ["2"])
    assert second["amounts"]["USD"]["cost_total_usd"] == pytest.approx(9.0)


def test_since_a_moment_of_a_day_exports_the_whole_day_and_leaves_the_others(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(store, to)
    exported = export(store, to, since_ms=LATE_MS + HOUR_MS + 40 * MINUTE_MS)
    assert (exported.files, exported.replaced) == (1, 0)
    assert [file["rows"] for file in manifest(to)["files"]] == [1, 1]


def test_files_hold_days_of_the_zone_and_months_of_a_table_by_months(store: Path, tmp_path: Path) -> None:
    """00:00 UTC is 05:45 in Kathmandu: both hours are of one day."""
    export(store, tmp_path / "days", zone="Asia/Kathmandu")
    [file] = manifest(tmp_path / "days")["files"]
    assert (file["name"], file["start"]) == ("gpu-hour-2026-11-22.csv", "2026-11-22T00:00:00+05:45")
    export(store, tmp_path / "months", grain="month")
    assert [file["name"] for file in manifest(tmp_path / "months", "gpu-month.csv")["files"]] == [
        "gpu-month-2026-11.csv"
    ]


def test_several_tables_share_a_directory(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    tables: list[tuple[By, Grain, str]] = [
        ("gpu", "hour", "cost_total_usd"),
        ("model", "hour", "cost_total_usd"),
        ("focus", "hour", "EffectiveCost"),
        ("gpu", "day", "cost_total_usd"),
    ]
    for by, grain, column in tables:
        export(store, to, by=by, grain=grain)
        files = manifest(to, f"{by}-{grain}.csv")["files"]
        assert sum(file["amounts"]["USD"][column] for file in files) == pytest.approx(4.80)
    assert len(names(to)) == 4 * 3


def test_what_was_asked_for_otherwise_does_not_go_into_the_same_directory(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(store, to)
    with pytest.raises(ExportError, match=r"exported otherwise \(timezone 'UTC', now 'Asia/Kathmandu'\)"):
        export(store, to, zone="Asia/Kathmandu")
    with pytest.raises(ExportError, match=r"simulated False, now True"):
        export(store, to, simulated=True)


def test_a_manifest_of_something_else_is_told(store: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    to.mkdir()
    (to / "gpu-hour.csv.manifest.json").write_text("{}")
    with pytest.raises(ExportError, match="is no manifest of an export"):
        export(store, to)
    assert names(to) == ["gpu-hour.csv.manifest.json"]


def test_without_rows_there_is_a_manifest_without_files(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    record(store, (SIMULATED, NOON_MS, NOON_MS + HOUR_MS))
    exported = export(store, tmp_path / "out")
    assert (exported.rows, exported.files, exported.left_out) == (0, 0, ("dgx-03-20261121-1201",))
    assert manifest(tmp_path / "out")["files"] == []
