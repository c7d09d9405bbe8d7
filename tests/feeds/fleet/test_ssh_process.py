"""The command that is run, and the end of it."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.feeds.fleet.ssh_boxes import is_running
from tokwatch.feeds.fleet.ssh_process import AGENT, SshProcess, agent_argv

STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
if child: print(child, flush=True)
time.sleep(600)
"""


def test_the_whole_command() -> None:
    assert agent_argv(("ssh", "-F", "fleet.conf"), "root@h1", AGENT) == (
        "ssh", "-F", "fleet.conf",
        "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
        "-o", "RequestTTY=no", "-o", "RemoteCommand=none", "-o", "ControlMaster=no", "-o", "ClearAllForwardings=yes",
        "-o", "ForwardAgent=no", "-o", "ForwardX11=no",
        "--", "root@h1", "tokwatch", "agent", "--stdio",
    )  # fmt: skip


async def test_the_last_of_stderr_is_kept() -> None:
    words = "import sys; sys.stderr.write('x' * 1_000_000 + 'the end'); sys.exit(7)"
    process = await SshProcess.start((sys.executable, "-IS", "-c", words))
    assert await process.read() == b""
    assert await process.status(10.0) == 7
    assert process.stderr.endswith(b"the end")
    assert len(process.stderr) == 8192
    await process.end(1.0)


async def test_what_ignores_a_polite_end_is_killed_with_its_children() -> None:
    process = await SshProcess.start((sys.executable, "-IS", "-c", STUBBORN))
    child = int(await process.read())
    assert is_running(child)
    await process.end(0.1)
    assert await process.status(1.0) == -9
    async with asyncio.timeout(5):
        while is_running(child):  # noqa: ASYNC110 - it is init's child by now
            await asyncio.sleep(0.01)


async def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        await SshProcess.start(("no-such-ssh",))
