"""`tokwatch agent` as ssh, a service and a careless user run it: pipes, signals, refusals, and who records."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tests.commands.box import CommandBox
from tests.test_layers import RUNNER
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.store.reader import Reader


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    return CommandBox(tmp_path)


class OverPipe:
    """`agent --stdio` with both ends of its pipes."""

    def __init__(self, box: CommandBox, words: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            words or box.command("agent", "--stdio"),
            env=box.environment,
            cwd=box.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def line(self) -> Hello | Report:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=30)[1].decode()
        return (
            msgspec.json.decode(line, type=Hello) if line.startswith(b"{") else msgspec.json.decode(line, type=Report)
        )

    def reports(self, count: int) -> list[Report]:
        found: list[Report] = []
        while len(found) < count:
            if isinstance(one := self.line(), Report):
                found.append(one)
        return found


@pytest.fixture
def over_pipe(box: CommandBox) -> Iterator[OverPipe]:
    agent = OverPipe(box)
    yield agent
    agent.process.kill()
    agent.process.communicate(timeout=30)


def ticks_of(store: Path) -> int:
    with Reader(store) as reader:
        return sum(1 for _ in reader.records(None, 0, 2**42))


def test_a_hello_comes_first_and_then_a_report_a_tick(box: CommandBox, over_pipe: OverPipe) -> None:
    hello = over_pipe.line()
    assert isinstance(hello, Hello)
    assert [gpu.name for gpu in hello.gpus] == ["NVIDIA H100 80GB HBM3"] * 2
    reports = over_pipe.reports(3)
    assert all(earlier.watched_ms < later.watched_ms for earlier, later in pairwise(reports))
    assert len(reports[-1].gpus) == 2


def test_it_ends_well_when_its_stdin_closes_and_has_recorded(box: CommandBox, over_pipe: OverPipe) -> None:
    told = over_pipe.reports(3)
    _, stderr = over_pipe.process.communicate(timeout=30)
    assert over_pipe.process.returncode == 0, stderr
    assert ticks_of(box.store) >= len(told)
    assert all(line.startswith(b"tokwatch: ") for line in stderr.splitlines()), stderr


def test_it_ends_quietly_when_nobody_reads_any_more(over_pipe: OverPipe) -> None:
    over_pipe.reports(1)
    assert over_pipe.process.stdout is not None
    over_pipe.process.stdout.close()
    assert over_pipe.process.wait(30) == 0
    assert over_pipe.process.stderr is not None
    assert b"Traceback" not in over_pipe.process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_well(over_pipe: OverPipe, number: signal.Signals) -> None:
    over_pipe.reports(1)
    over_pipe.process.send_signal(number)
    _, stderr = over_pipe.process.communicate(timeout=30)
    assert over_pipe.process.returncode == 0, stderr


def test_beside_a_recorder_it_follows_and_adds_no_ticks(box: CommandBox) -> None:
    recording = box.start_recording()
    recording.wait_for_ticks(2)
    agent = OverPipe(box)
    assert agent.reports(4)[-1].watched_ms > 0
    _, stderr = agent.process.communicate(timeout=30)
    told, _, _ = recording.end()
    assert agent.process.returncode == 0, stderr
    assert b"following the recorder of" in stderr
    assert ticks_of(box.store) == len(told)


def test_two_agents_record_once(box: CommandBox, over_pipe: OverPipe) -> None:
    over_pipe.reports(1)
    second = OverPipe(box)
    assert second.reports(2)
    _, stderr = second.process.communicate(timeout=30)
    assert b"following" in stderr


def test_it_never_loads_textual(box: CommandBox) -> None:
    agent = OverPipe(box, [sys.executable, "-c", RUNNER, *box.command("agent", "--stdio")[3:]])
    agent.reports(2)
    _, stderr = agent.process.communicate(timeout=30)
    assert stderr.splitlines()[-1] == b"loaded:"


# --- over HTTP --------------------------------------------------------------------------------------------------------


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if "telling on " in line:
            return line.partition("telling on ")[2].partition(";")[0]
    raise AssertionError("it ended and never said where it listens")


def test_a_page_can_be_had_as_soon_as_something_was_counted(box: CommandBox) -> None:
    process = box.start(box.command("agent", "--listen", "127.0.0.1:0", "--price", "2.5"))
    try:
        url, page = url_of(process), ""
        while not page:
            with contextlib.suppress(urllib.error.HTTPError):  # 503 until something was counted
                page = urllib.request.urlopen(f"{url}/metrics", timeout=10).read().decode()
        assert 'tokwatch_build_info{version="' in page
        assert "tokwatch_gpu_power_watts{" in page
    finally:
        process.terminate()
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr


def test_the_config_says_where_and_its_socket_goes_with_it(box: CommandBox) -> None:
    path = box.folder / "agent.sock"
    box.config.write_text(f'{box.config.read_text()}[agent]\nlisten = "unix:{path}"\n')
    process = box.start(box.command("agent", "--listen"))
    assert url_of(process) == f"unix:{path}"
    assert path.stat().st_mode & 0o777 == 0o600
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--listen", "0.0.0.0:0"], "can be reached from other machines"),
        (["--listen", ":0"], "--token-file FILE"),
        (["--listen", "[::]:0", "--token-file", "token"], "--cert FILE --key FILE"),
        (["--listen", "127.0.0.1:http"], "write HOST:PORT"),
        (["--listen", "127.0.0.1:0", "--cert", "server.pem"], "a certificate and its key are needed both"),
    ],
)
def test_what_is_not_safe_is_refused_before_anything_is_recorded(box: CommandBox, words: list[str], told: str) -> None:
    token = box.folder / "token"
    token.write_text("0123456789abcdef")
    token.chmod(0o600)
    ended = box.run(box.command("agent", *words))
    assert ended.returncode == 2
    assert told in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not box.store.exists()


def test_a_port_that_is_taken_is_told_as_such(box: CommandBox) -> None:
    first = box.start(box.command("agent", "--listen", "127.0.0.1:0"))
    address = url_of(first).removeprefix("http://")
    ended = box.run(box.command("agent", "--listen", address))
    first.terminate()
    first.communicate(timeout=30)
    assert ended.returncode == 1
    assert f"cannot listen on {address}: Address already in use: is another agent running?" in ended.stderr


@pytest.mark.parametrize("words", [[], ["--stdio", "--listen"]])
def test_one_way_of_telling_must_be_named(box: CommandBox, words: list[str]) -> None:
    ended = box.run(box.command("agent", *words))
    assert ended.returncode == 2


def test_a_closed_stdin_is_an_end_at_once(box: CommandBox) -> None:
    ended = subprocess.run(
        box.command("agent", "--stdio"),
        env=box.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert box.store.exists()
