"""`tokwatch export hourly --prometheus URL`: what it says when there is nothing, or not all of it, to be had."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.real.processes import free_port
from tokwatch.cli import run
from tokwatch.exits import Exit

NAMES = ("DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_GPU_UTIL")


@dataclass
class Answers:
    """What the server says: series names, and warnings of answers that are not whole."""

    names: Sequence[str] = NAMES
    warnings: Sequence[str] = ()
    values: Mapping[str, str] = field(default_factory=dict)  # labels of one series, which has all values 60; {}: none

    def range(self, form: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        start_s, end_s, step_s = (float(form[name][0]) for name in ("start", "end", "step"))
        times_s = [start_s + step * step_s for step in range(int((end_s - start_s) / step_s) + 1)]
        return [{"metric": self.values, "values": [[at_s, "60"] for at_s in times_s]}] if self.values else []


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def url(answers: Answers) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"data": answers.names if "__name__" in self.path else []})

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            of_range = "range" in self.path
            result = answers.range(form) if of_range else []
            kind = "matrix" if of_range else "vector"
            self._answer({"data": {"resultType": kind, "result": result}, "warnings": answers.warnings})

        def _answer(self, body: dict[str, Any]) -> None:
            text = json.dumps({"status": "success", **body}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def export(url: str, *arguments: str) -> int:
    return run(["export", "hourly", "--prometheus", url, *arguments])


def test_an_answer_that_is_not_whole_is_told_and_leaves_with_partial(
    url: str, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.warnings = ["store gateway 10.0.0.3 did not answer"]
    assert export(url, "--since", "2026-11-17", "--until", "2026-11-17T02:00") == Exit.PARTIAL
    told = capsys.readouterr()
    assert told.out.startswith("hour_start,")
    assert told.err == ("tokwatch: the server says its answers are not whole: store gateway 10.0.0.3 did not answer\n")


def test_the_manifest_of_a_directory_says_that_an_answer_was_not_whole_until_it_is(
    url: str, answers: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.values = {"Hostname": "box", "UUID": "GPU-1", "gpu": "0", "instance": "box:9400", "job": "dcgm"}
    asked = ["--since", "2026-11-17", "--until", "2026-11-18", "--to", str(tmp_path)]

    def told() -> tuple[bool, list[str]]:
        [file] = json.loads((tmp_path / "gpu-hour.csv.manifest.json").read_bytes())["files"]
        return file["complete"], file["missing"]

    answers.warnings = ["store gateway 10.0.0.3 did not answer"]
    assert export(url, *asked) == Exit.PARTIAL
    words = "the server says its answers are not whole: store gateway 10.0.0.3 did not answer"
    assert told() == (False, [words])
    assert f"tokwatch: {words}\n" in capsys.readouterr().err
    answers.warnings = ()
    assert export(url, *asked) == Exit.DONE
    assert told() == (True, [])


def test_an_empty_table_of_whole_answers_is_done(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(url, "--since", "2026-11-17", "--until", "2026-11-17T02:00") == Exit.DONE
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_server_without_any_known_series_is_told(
    url: str, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.names = ()
    assert export(url, "--since", "2026-11-17", "--until", "2026-11-17T02:00") == Exit.FAILED
    assert "no series of a known GPU exporter, inference engine or tokwatch agent" in capsys.readouterr().err


def test_a_beginning_has_to_be_said(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(url) == Exit.FAILED
    assert "--since" in capsys.readouterr().err


def test_nothing_is_asked_of_what_is_still_to_come(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(url, "--since", "2199-01-01") == Exit.FAILED
    assert "nothing lies between" in capsys.readouterr().err


def test_a_server_that_does_not_answer_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert export(f"http://127.0.0.1:{port}", "--since", "2026-11-17", "--until", "2026-11-18") == Exit.FAILED
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert f"127.0.0.1:{port}" in told.err


def test_the_private_store_is_gone_when_it_is_done(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert export(url, "--since", "2026-11-17", "--until", "2026-11-17T02:00") == Exit.DONE
    assert list(tmp_path.iterdir()) == []
