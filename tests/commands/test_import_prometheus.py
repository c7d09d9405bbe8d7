"""`import prometheus`, `replay --prometheus` and `--prometheus URL --host H`, against a real Prometheus."""

from __future__ import annotations

import json
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.commands.box import CommandBox
from tests.feeds.prometheus_host.host import GPUS, TOKENS_S, WATTS, engine_page, gpu_page, scrapes
from tests.prometheus_servers import Server, missing, pages, prometheus, victoria_metrics, wait_for_samples
from tests.scraped import Scrape, openmetrics, samples
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import sessions

DAY_S = 1_763_424_000  # a Tuesday
pytestmark = pytest.mark.skipif(bool(missing("prometheus", "promtool")), reason=missing("prometheus", "promtool"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What it scraped of h7 in one hour, and of h8 in its first ten minutes."""
    folder = tmp_path_factory.mktemp("prometheus")
    told = scrapes(DAY_S, DAY_S + 3600)
    of_h8 = {"h7:9400": "h8:9400", "h7:8000": "h8:8000"}
    told += [
        Scrape({**scrape.target, "instance": of_h8[scrape.target["instance"]]}, scrape.at_s, scrape.page)
        for scrape in scrapes(DAY_S, DAY_S + 600)
    ]
    blocks = folder / "hour.om"
    blocks.write_text(openmetrics(samples(told)))
    with prometheus(folder / "server", tsdb_blocks=blocks) as server:
        yield server


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    box = CommandBox(tmp_path, scenario=None)
    box.environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TZ": "UTC"}
    box.config.write_text("discover = false\n[prices]\nusd_per_gpu_hour = 2.0\n")
    return box


def at(seconds: float) -> str:
    return datetime.fromtimestamp(DAY_S + seconds, UTC).isoformat()


HOUR = ("--since", at(0), "--until", at(3600))


def test_an_hour_of_a_host_is_imported_and_exported_as_it_was(box: CommandBox, server: Server) -> None:
    ended = box.run(box.command("import", "prometheus", server.url, *HOUR, "--host", "h7"))
    assert (ended.returncode, ended.stdout) == (0, "")
    joules = GPUS * WATTS * (3600 - 15)
    assert f"h7: 240 scrapes of {GPUS} GPUs, {TOKENS_S * 4 * 3600} prompt tokens" in ended.stderr
    assert f"{TOKENS_S * 3600} output tokens, {joules} J, session h7-20251118-0000 (" in ended.stderr
    exported = box.run(box.command("export", "hourly", "--by", "model", "--format", "json"))
    [row] = json.loads(exported.stdout)
    assert (row["model"], row["tokens_out"], round(row["energy_board_j"])) == ("Qwen3-32B", TOKENS_S * 3600, joules)


def test_the_same_range_again_is_there_already(box: CommandBox, server: Server) -> None:
    words = box.command("import", "prometheus", server.url, *HOUR, "--host", "h7")
    assert box.run(words).returncode == 0
    again = box.run(words)
    assert (again.returncode, "in the store already, session h7-20251118-0000" in again.stderr) == (0, True)


def test_of_several_hosts_those_that_are_there_are_imported(box: CommandBox, server: Server) -> None:
    hosts = ("--host", "h7", "--host", "h9", "--host", "h8")
    ended = box.run(box.command("import", "prometheus", server.url, *HOUR, *hosts))
    assert ended.returncode == 4
    assert "h9: 127.0.0.1:" in ended.stderr
    assert "it knows h7, h8" in ended.stderr
    assert "h7: 240 scrapes" in ended.stderr
    assert "h8: 40 scrapes" in ended.stderr


def test_a_host_has_to_be_named_where_there_are_several(box: CommandBox, server: Server) -> None:
    ended = box.run(box.command("import", "prometheus", server.url, *HOUR))
    assert (ended.returncode, "name a host with --host: the server knows h7, h8" in ended.stderr) == (1, True)


def test_a_range_that_ends_before_it_begins_is_refused(box: CommandBox, server: Server) -> None:
    ended = box.run(box.command("import", "prometheus", server.url, "--since", at(60), "--until", at(0)))
    assert (ended.returncode, "nothing lies between them" in ended.stderr) == (1, True)


def test_a_server_that_is_not_there_is_told_in_one_line(box: CommandBox) -> None:
    ended = box.run(box.command("import", "prometheus", "http://127.0.0.1:9", *HOUR, "--host", "h7"))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)


def test_a_moment_of_a_host_is_replayed_with_the_prices_of_now_and_asked_for_once(
    box: CommandBox, server: Server
) -> None:
    words = box.command("replay", "--prometheus", server.url, "--host", "h7", "--at", at(1800))
    first, again = box.run(words), box.run(words)
    assert (first.returncode, again.returncode, again.stdout) == (0, 0, first.stdout)
    assert "IMPORTED" in first.stdout
    assert "2 USD/GPU-h" in first.stdout
    assert ("240 scrapes" in first.stderr, again.stderr) == (True, "")


def test_a_stretch_without_a_beginning_or_a_server_is_refused(box: CommandBox, server: Server) -> None:
    for words, told in (
        (("--prometheus", server.url, "--host", "h7", "--to", at(0)), "--to without --from"),
        (("--from", at(0)), "go with --prometheus"),
    ):
        ended = box.run(box.command("replay", *words))
        assert (ended.returncode, told in ended.stderr) == (1, True), ended.stderr


# --- live -------------------------------------------------------------------------------------------------------------


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = gpu_page(time.time()) if self.path == "/gpus" else engine_page(time.time())
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def targets() -> Iterator[list[dict[str, object]]]:
    """Scrape configurations of h7, whose pages are those of now."""
    serving = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{serving.server_port}"
    yield [
        pages("gpus", address, path="/gpus", labels={"instance": "h7:9400"}),
        pages("engines", address, path="/engine", labels={"instance": "h7:8000"}),
    ]
    serving.shutdown()
    serving.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("engine", [prometheus, victoria_metrics])
def test_a_host_that_is_scraped_now_is_shown_from_what_was_scraped_already(
    box: CommandBox, tmp_path: Path, targets: list[dict[str, object]], engine: object
) -> None:
    if engine is victoria_metrics and missing("victoria-metrics"):
        pytest.skip(missing("victoria-metrics"))
    start = prometheus if engine is prometheus else victoria_metrics
    with start(tmp_path / "server", targets, interval_s=1) as server:
        wait_for_samples(server, "count_over_time(vllm:num_requests_running[1m]) > 4")
        ended = box.run(box.command("--prometheus", server.url, "--host", "h7"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "h7  2× H100  vllm ×1" in ended.stdout
    [rate] = [float(line.split()[-1]) for line in ended.stdout.splitlines() if line.startswith("output tok/s")]
    assert rate == pytest.approx(TOKENS_S, rel=0.05)


# --- interrupted ------------------------------------------------------------------------------------------------------


class _Hesitant(ThreadingHTTPServer):
    """Stands before a Prometheus, and answers no query for samples but the first ones."""

    def __init__(self, before: str) -> None:
        super().__init__(("127.0.0.1", 0), _Hesitating)
        self.before = before
        self.queries = 0
        self.waits, self.goes_on = threading.Event(), threading.Event()


class _Hesitating(BaseHTTPRequestHandler):
    server: _Hesitant

    def do_GET(self) -> None:
        length = self.headers["Content-Length"]
        body = None if length is None else self.rfile.read(int(length))
        if self.path.endswith("/query"):
            self.server.queries += 1
            if self.server.queries > 4:  # two slices: pages and `up`
                self.server.waits.set()
                self.server.goes_on.wait(30)
                return
        asked = urllib.request.Request(self.server.before + self.path, body)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            told = answer.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def hesitant(server: Server) -> Iterator[_Hesitant]:
    standing = _Hesitant(server.url)
    threading.Thread(target=standing.serve_forever, daemon=True).start()
    yield standing
    standing.goes_on.set()
    standing.shutdown()
    standing.server_close()


def test_an_interrupted_import_leaves_no_half_session(box: CommandBox, hesitant: _Hesitant) -> None:
    url = f"http://127.0.0.1:{hesitant.server_port}"
    process = box.start(box.command("import", "prometheus", url, *HOUR, "--host", "h7"))
    try:
        assert hesitant.waits.wait(30), process.communicate(timeout=10)
        interrupted_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, stdout, stderr) == (130, "", "")
    assert time.monotonic() - interrupted_s < 5
    with Reader(box.store) as reader:
        assert (sessions(reader), reader.runs()) == ([], [])


def test_ranges_that_overlap_are_refused_in_sums_and_each_is_exported_by_its_name(
    box: CommandBox, server: Server
) -> None:
    for since_s, until_s in ((0, 1800), (900, 3600)):
        times = ("--since", at(since_s), "--until", at(until_s))
        assert box.run(box.command("import", "prometheus", server.url, *times, "--host", "h7")).returncode == 0
    ended = box.run(box.command("export", "hourly", "--by", "model", "--format", "json"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "both hold" in ended.stderr
    assert "choose one of them with --session" in ended.stderr
    named = box.command("export", "hourly", "--by", "model", "--format", "json", "--session", "h7-20251118-0015")
    [row] = json.loads(box.run(named).stdout)
    assert row["tokens_out"] == TOKENS_S * 2700
