"""`tokwatch once` and `tokwatch` of many hosts as processes: what is on stdout, what on stderr, and the exit code."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from tests.commands.box import CommandBox, line_of
from tests.feeds.fleet.fleet_pages import engine_page, gpu_page
from tests.feeds.fleet.ssh_boxes import Boxes, hello
from tests.prometheus_servers import Server, missing, pages, prometheus, query
from tests.real.processes import wait_until
from tests.test_layers import RUNNER
from tokwatch.cli import run
from tokwatch.exits import Exit

GAUGES = b"".join(line for line in gpu_page(0).splitlines(keepends=True) if b"ENERGY" not in line)
SECRET = "s3cret-of-ada"
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> CommandBox:
    return CommandBox(tmp_path_factory.mktemp("box"), scenario=None)


class Told(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Here:
    """Commands of a box in this process: a new one takes half a second."""

    def __init__(self, box: CommandBox, capsys: pytest.CaptureFixture[str]) -> None:
        self._box = box
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Told:
        try:
            code = run(self._box.command(*words)[3:])
        except SystemExit as leaving:  # of argparse
            code = int(leaving.code or 0)
        return Told(code, *self._capsys.readouterr())


@pytest.fixture
def here(box: CommandBox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "TERM"):
        monkeypatch.setenv(name, box.environment.get(name, str(box.folder)))
    for name in ("TOKWATCH_STORE", "TOKWATCH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOKWATCH_SSH", "false")
    monkeypatch.chdir(box.folder)
    return Here(box, capsys)


@contextmanager
def answering(answers: Mapping[str, tuple[int, bytes]]) -> Iterator[str]:
    """A server that answers each path with a status and a body, every other one with that of ""; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, answers.get("", (404, b"")))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# --- a Prometheus -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus with one host of one GPU and one server."""
    if words := missing("prometheus"):
        pytest.skip(words)
    told = {"/metrics": (200, GAUGES), "/engine": (200, engine_page(500))}
    with answering(told) as url:
        address = url.removeprefix("http://")
        of = {"host": "alpha"}
        configs = [pages("dcgm", address, labels=of), pages("vllm", address, path="/engine", labels=of)]
        with prometheus(tmp_path_factory.mktemp("prometheus"), configs, interval_s=1) as server:
            seen = "count_over_time(up[1m]) >= 2"  # so that there is a length of time between
            wait_until(lambda: len(query(server, seen)) == 2, "both pages are scraped", within_s=20)
            yield server


def test_once_prints_a_prometheus_fleet_as_json_and_never_loads_textual(box: CommandBox, scraping: Server) -> None:
    words = box.command("once", "--prometheus", scraping.url, "--json")
    ended = box.run([sys.executable, "-c", RUNNER, *words[3:]])
    assert ended.returncode == Exit.DONE, ended.stderr
    assert ended.stderr == "loaded:\n"
    told = json.loads(ended.stdout)
    assert [(host["host"], host["power_w"]["value"]) for host in told["hosts"]] == [("alpha", 512.5)]
    assert [model["model"] for model in told["models"]] == ["qwen"]


def test_the_screen_without_a_terminal_is_the_table_of_once(box: CommandBox, scraping: Server) -> None:
    words = box.command("--prometheus", scraping.url)
    ended = box.run([sys.executable, "-c", RUNNER, *words[3:]])
    assert (ended.returncode, ended.stderr) == (Exit.DONE, "loaded:\n")
    assert any(line.startswith("alpha ") for line in ended.stdout.splitlines())
    assert "\x1b" not in ended.stdout


@pytest.mark.parametrize("words", [["once"], []], ids=["once", "the screen"])
def test_one_host_of_it_is_the_ordinary_answer(here: Here, scraping: Server, words: list[str]) -> None:
    ended = here(*words, "--prometheus", scraping.url, "--host", "alpha")
    assert (ended.code, ended.stderr) == (Exit.DONE, "")
    assert ended.stdout.startswith("tokwatch  alpha ")


def test_one_host_can_be_judged(here: Here, scraping: Server) -> None:
    words = ("once", "--json", "--fail-if", "power_w > 100", "--prometheus", scraping.url, "--host", "alpha")
    ended = here(*words)
    assert (ended.code, ended.stderr) == (Exit.CONDITION_MET, "tokwatch: power_w > 100\n")
    assert json.loads(ended.stdout)["host"] == "alpha"


def test_a_host_that_it_does_not_know_is_told(here: Here, scraping: Server) -> None:
    ended = here("once", "--prometheus", scraping.url, "--host", "beta")
    assert (ended.code, ended.stdout) == (Exit.FAILED, "")
    assert "beta" in ended.stderr


def test_a_prometheus_of_other_things_has_nothing(here: Here, tmp_path: Path) -> None:
    if words := missing("prometheus"):
        pytest.skip(words)
    with prometheus(tmp_path) as server:
        ended = here("once", "--prometheus", server.url, "--for", "0.1s")
    assert ended.code == Exit.NOTHING_FOUND
    assert "no series of any meter or engine that tokwatch knows" in ended.stdout


@pytest.mark.parametrize("way", [["once"], []], ids=["once", "the screen"])
@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"": (401, b"who are you?")}, "wants a log-in (HTTP 401: who are you?)"),
        ({"": (404, b"<html><title>Wiki</title>")}, "has no query API there (HTTP 404)"),
        ({"": (200, b"<html><title>Wiki</title>")}, "answers with a web page (Wiki) instead of JSON"),
        ({"": (200, b'{"status":"success","data":{}}')}, "is this a Prometheus?"),
        ({"": (503, b"draining")}, "is too busy"),
    ],
    ids=["401", "404", "a web page", "other JSON", "busy"],
)
def test_what_is_no_prometheus_for_us_is_told_in_one_line(
    here: Here, way: list[str], answers: Mapping[str, tuple[int, bytes]], told: str
) -> None:
    with answering(answers) as url:
        ended = here(*way, "--prometheus", url)
    assert (ended.code, ended.stdout) == (Exit.FAILED, "")
    assert ended.stderr.startswith("tokwatch: 127.0.0.1:")
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_log_in_that_is_refused_shows_no_secret(box: CommandBox, tmp_path: Path) -> None:
    password, header = tmp_path / "password", tmp_path / "tenant"
    password.write_text(SECRET)
    header.write_text(SECRET)
    with answering({"": (401, b"wrong")}) as url:
        config = tmp_path / "config.toml"
        config.write_text(
            f'[prometheus]\nurl = "{url}"\nuser = "ada"\npassword_file = "{password}"\n'
            f'header_files = {{ X-Scope-OrgID = "{header}" }}\n'
        )
        ended = box.run(box.plain("--config", config, "once", "--prometheus"))
    assert ended.returncode == Exit.FAILED
    assert "wants a log-in" in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr


def test_nobody_at_home_is_told_in_one_line(box: CommandBox) -> None:
    ended = box.run(box.command("--prometheus", NOBODY))
    assert (ended.returncode, ended.stdout) == (Exit.FAILED, "")
    assert ended.stderr.startswith("tokwatch: 127.0.0.1:1 cannot be reached (connection refused)")


# --- boxes over ssh ---------------------------------------------------------------------------------------------------


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path)


def asked_over_ssh(box: CommandBox, boxes: Boxes, listed: str, *words: str) -> tuple[int, str, str]:
    command = box.command("once", "--hosts", listed, "--for", "5s", *words)
    ended = box.run([sys.executable, "-c", RUNNER, *command[3:]], TOKWATCH_SSH=shlex.join(boxes.ssh))
    *told, loaded = ended.stderr.splitlines()
    assert loaded == "loaded:"
    return ended.returncode, ended.stdout, "\n".join(told)


def test_boxes_that_answer_are_a_whole_fleet(box: CommandBox, boxes: Boxes) -> None:
    for host in ("h1", "h2"):
        boxes.act(host, {"stdout": hello(host), "gpus": 2})
    code, stdout, stderr = asked_over_ssh(box, boxes, "h1,h2", "--json")
    assert (code, stderr) == (Exit.DONE, "")
    hosts = json.loads(stdout)["hosts"]
    assert [(host["host"], host["gpus"], host["power_w"]["value"]) for host in hosts] == [
        ("h1", 2, 1400.0),
        ("h2", 2, 1400.0),
    ]


def test_a_box_without_tokwatch_makes_it_a_part_and_says_the_one_line(box: CommandBox, boxes: Boxes) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    boxes.act("h2", {"only": "nothing"})
    code, stdout, stderr = asked_over_ssh(box, boxes, "h1,h2")
    assert (code, stderr) == (Exit.PARTIAL, "")
    assert "h2: tokwatch is not installed on h2" in stdout
    assert "uv tool install tokwatch" in stdout


def test_no_box_is_left_with_an_agent(box: CommandBox, boxes: Boxes) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    asked_over_ssh(box, boxes, "h1")
    assert [Path(f"/proc/{call.pid}").exists() for call in boxes.calls()] == [False]


def test_the_list_of_a_server_starts_nothing_without_a_yes(box: CommandBox, boxes: Boxes) -> None:
    boxes.act("h1", {"stdout": hello("h1"), "gpus": 2})
    with answering({"/list": (200, b'[{"targets": ["h1:9400"]}]')}) as url:
        code, stdout, stderr = asked_over_ssh(box, boxes, f"{url}/list")
        assert (code, stdout, boxes.calls()) == (Exit.USAGE, "", [])
        assert "1 host (h1)" in stderr
        assert "--yes" in stderr
        code, stdout, _ = asked_over_ssh(box, boxes, f"{url}/list", "--yes")
    assert code == Exit.DONE, stdout


# --- asked in a way that cannot be meant ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [["once"], []], ids=["once", "the screen"])
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--prometheus", NOBODY, "--hosts", "a,b"], "--prometheus and --hosts: a fleet is read in one way at a time"),
        (["--prometheus", NOBODY, "--targets", "a"], "--prometheus and --targets: a fleet is read in one way"),
        (["--host", "a"], "--prometheus URL --host NAME"),
        (["--hosts", "a", "--host", "a"], "--prometheus URL --host NAME"),
        (["--prometheus", NOBODY, "--host", ""], "--prometheus URL --host NAME"),
        (["--hosts=-oProxyCommand=x,b"], '"-oProxyCommand=x" is not an address'),
        (["--hosts=-v"], '"-v" would be an option of ssh, not a host: nothing was started'),
        (["--hosts", "a;reboot"], '"a;reboot" is not an address'),
        (["--hosts", ""], "an empty list names no host"),
        (["--hosts", "./no-such-file"], "cannot read the list no-such-file: No such file or directory"),
        (["--targets", ""], "--targets: the list is empty"),
        (["--targets", "a b"], '"a b" is not an address'),
        (["--prometheus", "prom:9090"], "must start with http:// or https://"),
        (["--prometheus", f"http://ada:{SECRET}@prom"], "holds a user or password"),
        (["--prometheus", f"http://prom/?token={SECRET}"], "must end before any ? or #"),
        (["--prometheus", "http://prom/api/v1/query"], "is the address of one page"),
        (["--prometheus", ""], "must start with http:// or https://"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_told_and_asks_nobody(here: Here, way: list[str], words: list[str], told: str) -> None:
    ended = here(*way, *words)
    assert (ended.code, ended.stdout) == (Exit.USAGE, ""), ended.stderr
    assert told in ended.stderr
    assert SECRET not in ended.stderr


def test_a_list_that_cannot_be_fetched_is_a_failure(here: Here) -> None:
    for flag in ("--hosts", "--targets"):
        ended = here("once", flag, f"{NOBODY}/list?key={SECRET}")
        assert (ended.code, ended.stdout) == (Exit.FAILED, "")
        assert f"{flag}: the list cannot be fetched: 127.0.0.1:1/list cannot be reached" in ended.stderr
        assert SECRET not in ended.stderr


# --- pages of hosts, read directly ------------------------------------------------------------------------------------


def test_pages_of_hosts_are_read_without_anything_between(box: CommandBox) -> None:
    with answering({"/metrics": (200, GAUGES)}) as url:
        listed = json.dumps([{"targets": [url.removeprefix("http://")], "labels": {"host": "alpha"}}])
        (box.folder / "pages.json").write_text(listed)
        ended = box.run(box.command("once", "--targets", "./pages.json", "--for", "1s", "--json"))
        recorded = box.run(box.command("record", "--targets", "./pages.json", "--for", "1s"))
    told = json.loads(ended.stdout)
    (alpha,) = told["hosts"]
    assert (alpha["host"], alpha["up"]) == ("alpha", True)
    assert alpha["power_w"]["value"] == pytest.approx(
        512.5, rel=0.002
    )  # joules of whole milliseconds of a short window
    assert (recorded.returncode, recorded.stdout) == (Exit.DONE, "")
    assert "recording 1 host into" in recorded.stderr


def test_a_second_recorder_of_a_fleet_waits_for_the_first_where_it_is_told_to(box: CommandBox) -> None:
    with answering({"/metrics": (200, GAUGES)}) as url:
        words = box.command("record", "--targets", url.removeprefix("http://"))
        first = box.start(words)
        assert line_of(first, "recording 1 host into")
        refused = box.run(words)
        second = box.start([*words, "--wait"])
        waiting = line_of(second, "waiting for its end")
        first.terminate()
        assert line_of(second, "recording 1 host into")
        second.terminate()
        ended = [first.communicate(timeout=30)[1], second.communicate(timeout=30)[1]]
    taken = f"this fleet is recorded already, by process {first.pid} of user"
    assert refused.returncode == Exit.FAILED
    assert taken in refused.stderr
    assert "name another store with --store, or wait for its end with --wait" in refused.stderr
    assert taken in waiting
    assert (first.returncode, second.returncode) == (Exit.DONE, Exit.DONE), ended
