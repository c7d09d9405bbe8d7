"""Discovery on this very box: real processes that look like engines, with real sockets and planted keys."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from collectors.discovery.processes import ListeningPort, PsutilSource
from collectors.discovery.scan import Discovery, discover
from collectors.readings import ServerFacts

SECRETS = ("sk-5ecret-on-argv", "hf_5ecret-in-environ", "5ecret-behind-the-model")

# Python runs the file that the first word after the program names, so argv can be an engine's to the letter.
STUB = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""

Start = Callable[[Sequence[str | bytes]], tuple[subprocess.Popen[bytes], int]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process with this argv that listens on a loopback port; gives it and the port."""
    (tmp_path / "serve").write_text(STUB)
    package = tmp_path / "vllm/entrypoints/openai"
    package.mkdir(parents=True)
    (package / "api_server.py").write_text(STUB)
    environ = {"PATH": os.defpath, "HF_TOKEN": SECRETS[1], "VLLM_API_KEY": SECRETS[1], "CUDA_VISIBLE_DEVICES": "3"}
    running: list[subprocess.Popen[bytes]] = []

    def run(argv: Sequence[str | bytes]) -> tuple[subprocess.Popen[bytes], int]:
        process = subprocess.Popen(
            argv, executable=sys.executable, cwd=tmp_path, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        running.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield run
    for process in running:
        process.kill()
        process.communicate()


def server_of(process: subprocess.Popen[bytes], found: Discovery) -> ServerFacts | None:
    return next((server for server in found.servers if server.pid == process.pid), None)


def test_a_running_server_is_found_and_its_keys_are_not(start: Start) -> None:
    model = f"org/model {SECRETS[2]}"
    process, port = start(["vllm", "serve", model, "--api-key", SECRETS[0], f"--hf-token={SECRETS[0]}", "-tp", "2"])
    found = discover()
    server = server_of(process, found)
    assert server is not None
    assert (server.address, server.engine, server.model) == (f"127.0.0.1:{port}", "vllm", "org/model")
    assert (server.tensor_parallel, server.visible_devices, server.verified) == (2, "3", True)
    assert not [secret for secret in SECRETS if secret in repr(found)]


def test_the_process_table_prints_no_command_line_and_no_environment(start: Start) -> None:
    process, _ = start(["vllm", "serve", SECRETS[2], "--api-key", SECRETS[0]])
    box = PsutilSource()
    rows, _ = box.processes()
    assert SECRETS[0] in next(row.argv for row in rows if row.pid == process.pid)
    details = box.details(process.pid, frozenset({"HF_TOKEN"}))
    assert details is not None
    assert details.variables == {"HF_TOKEN": SECRETS[1]}
    assert not [secret for secret in SECRETS if secret in repr((rows, details))]


def test_a_server_started_as_a_module_is_found(start: Start) -> None:
    process, _ = start(["python3", "-m", "vllm.entrypoints.openai.api_server", "--served-model-name", "chat"])
    server = server_of(process, discover())
    assert server is not None
    assert server.model == "chat"


def test_a_command_line_that_is_not_utf_8_is_cleaned(start: Start) -> None:
    process, _ = start([b"llama-server", b"serve", b"--alias", b"tiny\xff\x1b[31m[b]", b"--metrics"])
    server = server_of(process, discover())
    assert server is not None
    assert server.model == "tiny\ufffd\ufffd[31m[b]"
    assert server.metrics_url is not None


def test_a_server_killed_in_the_middle_of_a_scan_is_left_out(start: Start) -> None:
    process, _ = start(["vllm", "serve", "m"])

    class KilledMeanwhile(PsutilSource):
        def listening_ports(self) -> Sequence[ListeningPort] | None:
            ports = super().listening_ports()
            process.kill()
            process.wait()
            return ports

    assert server_of(process, discover(KilledMeanwhile())) is None


def test_a_zombie_is_no_server(start: Start) -> None:
    process, _ = start(["vllm", "serve", "m"])
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped yet
    found = discover()
    assert server_of(process, found) is None
    assert f"pid {process.pid}" not in repr(found.probes)
