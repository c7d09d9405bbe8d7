"""Reference files as users have them: each kind is read, and none can hurt."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tokwatch.config import parse
from tokwatch.feeds import references
from tokwatch.feeds.references import ReferencesError, load_references, settings_of
from tokwatch.ledger.capacity.references import MOST_REFERENCES

OWN = "name,tok_s_per_user,output_tok_s_per_gpu\nbench 2 Nov,26,1330\nbench 3 Nov,40,900\n"
ROW = {"hw": "h100", "tput_per_gpu": 900.0, "mean_tpot": 0.02, "conc": 8}


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def dump(folder: Path, **tables: Any) -> Path:
    usual: dict[str, Any] = {
        "configs": [{"id": 1, "hardware": "h200", "framework": "sglang", "model": "dsr1", "precision": "fp8"}],
        "workflow_runs": [{"id": "7", "github_run_id": "100", "run_attempt": 0, "name": "nightly"}],
        "benchmark_results": [
            {"workflow_run_id": "7", "config_id": 1, "date": "2026-03-01T00:00:00.000Z", "conc": conc, "isl": 1024}
            | {"osl": 1024, "metrics": {"tput_per_gpu": 100.0 * conc, "mean_tpot": 0.01 * conc}, "error": None}
            for conc in (1, 2)
        ],
    }
    path = folder / "inferencex-dump.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, rows in (usual | tables).items():
            if rows is not None:
                archive.writestr(f"inferencex-dump/{table}.json", rows if isinstance(rows, str) else json.dumps(rows))
    return path


def test_a_table_of_one_s_own(tmp_path: Path) -> None:
    found = load_references(written(tmp_path, "mine.csv", OWN))
    assert [(point.name, point.tok_s_per_user) for point in found] == [("bench 2 Nov", 26), ("bench 3 Nov", 40)]


def test_the_same_as_json(tmp_path: Path) -> None:
    rows = [{"name": "bench", "tok_s_per_user": 26, "total_tok_s_per_gpu": 2_000}]
    assert load_references(written(tmp_path, "mine.json", json.dumps(rows)))[0].total_tok_s_per_gpu == 2_000


def test_rows_of_inferencex_without_those_that_failed(tmp_path: Path) -> None:
    path = written(tmp_path, "agg_bmk.json", json.dumps([ROW, {"hw": "h100", "conc": 16, "tput_per_gpu": None}]))
    assert [point.name for point in load_references(path)] == ["h100 ×8"]


def test_a_dump_of_inferencex(tmp_path: Path) -> None:
    found = load_references(dump(tmp_path), {"hardware": "h200"})
    assert [(point.total_tok_s_per_gpu, point.tok_s_per_user) for point in found] == [(100, 100), (200, 50)]
    assert found[0].name == "h200 dsr1 fp8 sglang 1024/1024 ×1"


def test_rows_are_chosen_by_column(tmp_path: Path) -> None:
    assert len(load_references(dump(tmp_path), {"conc": 2})) == 1
    with pytest.raises(ReferencesError, match="no row has hardware = mi300x"):
        load_references(dump(tmp_path), {"hardware": "mi300x"})


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("mine.csv", OWN + "bench,fast,1\n", "line 4: tok_s_per_user is no number above 0: fast"),
        ("mine.csv", "name\nx\n", "line 2: it has no tok_s_per_user"),
        ("mine.csv", "", "no row is an operating point"),
        ("mine.csv", b"\xff\xfe\x00", "it is not UTF-8"),
        ("mine.csv", "a\n" + "x" * 200_000, "line 1: field larger than field limit"),
        ("mine.json", "[", "Input data was truncated"),
        ("mine.json", '{"a": 1}', "Expected `array`, got `object`"),
        ("mine.json", "[1]", r"Expected `object`, got `int` - at `\$\[0\]`"),
        ("mine.json", '[{"name": "x"}]', "row 1: it has no tok_s_per_user"),
        ("mine.json", '[{"a": ' + "[" * 100_000, "."),
        ("mine.zip", b"PK\x05\x06" + bytes(18), "no benchmark_results.json in it"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, name: str, content: str | bytes, told: str) -> None:
    with pytest.raises(ReferencesError, match=told) as error:
        load_references(written(tmp_path, name, content))
    assert name in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ReferencesError, match="no such file"):
            load_references(path)
    with pytest.raises(ReferencesError, match="cannot be read"):
        load_references(tmp_path / ("x" * 300))
    with pytest.raises(ReferencesError, match="no such user"):
        load_references(Path("~nobody-of-this-name/x.csv"))


@pytest.mark.parametrize("table", ["configs", "workflow_runs", "benchmark_results"])
def test_a_dump_without_a_table_says_which(tmp_path: Path, table: str) -> None:
    with pytest.raises(ReferencesError, match=f"no {table}.json in it"):
        load_references(dump(tmp_path, **{table: None}))


def test_a_damaged_table_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ReferencesError, match=r"configs.json: Object missing required field `hardware` - at `\$\[0\]`"):
        load_references(dump(tmp_path, configs=[{"id": 1}]))


def test_a_table_is_not_unpacked_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "MOST_BYTES", 1 << 20)
    with pytest.raises(ReferencesError, match=r"configs.json is larger than 1 MiB once it is unpacked"):
        load_references(dump(tmp_path, configs="[" + " " * (2 << 20) + "]"))


def test_a_file_is_not_read_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "MOST_BYTES", 1 << 10)
    with pytest.raises(ReferencesError, match="it is larger than"):
        load_references(written(tmp_path, "mine.json", "[" + " " * 2048 + "]"))


def test_a_zip_whose_content_is_damaged(tmp_path: Path) -> None:
    path = dump(tmp_path)
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    with pytest.raises(ReferencesError, match="cannot be unpacked"):
        load_references(written(tmp_path, "damaged.zip", bytes(data)))


def test_more_points_than_a_chart_holds_are_refused_with_what_to_do(tmp_path: Path) -> None:
    rows = [ROW | {"conc": n} for n in range(MOST_REFERENCES + 1)]
    with pytest.raises(ReferencesError, match="choose some by their columns with where"):
        load_references(written(tmp_path, "agg_bmk.json", json.dumps(rows)))


def test_points_of_the_files_in_the_config_are_settings(tmp_path: Path) -> None:
    path = written(tmp_path, "mine.csv", OWN)
    config = parse(f"[[frontier.references]]\nfile = '{path}'\nwhere = {{ name = 'bench 3 Nov' }}\n", "config.toml")
    assert [point.name for point in settings_of(config).references] == ["bench 3 Nov"]
