"""One ssh process: its argv, its pipes read within bounds, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

AGENT: Final = ("tokwatch", "agent", "--stdio")
# Where `uv tool` and `pipx` put it; a non-interactive shell often has no such PATH. sh, csh and fish know the tilde.
AGENT_OF_A_USER: Final = ("~/.local/bin/tokwatch", "agent", "--stdio")

# Keys, ProxyJump, ControlPath and the rest are the user's own. These are what a program without a terminal needs,
# and what an agent never does: be asked for a password, forward ports, lend its keys.
_OPTIONS: Final = (
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "RequestTTY=no",
    "RemoteCommand=none",
    "ControlMaster=no",  # one that is there is used; ours ends with us, and others' sessions must not end with it
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
)
_CHUNK_BYTES: Final = 64 * 2**10
_STDERR_BYTES: Final = 8 * 2**10  # the last that are kept: a login banner may come before the line that counts
_LAST_WORDS_S: Final = 0.5


def agent_argv(ssh: Sequence[str], host: str, command: Sequence[str]) -> tuple[str, ...]:
    """The whole command. `ssh`: the program with options of the user's ("ssh", "-F", file)."""
    options = [word for option in _OPTIONS for word in ("-o", option)]
    return (*ssh, *options, "--", host, *command)


class SshProcess:
    """A running ssh, in a session of its own: Ctrl-C on our terminal is not for it, and it cannot ask there.

    Its stdin stays open until the end: the agent leaves when it closes, also where this program is killed.
    """

    def __init__(self, process: Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdout = process.stdout
        self._stderr = bytearray()
        self._reading_stderr = asyncio.create_task(self._keep_last(process.stderr))

    @classmethod
    async def start(cls, argv: Sequence[str]) -> Self:
        """Raises OSError where there is no such program."""
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True
        )
        return cls(process)

    @property
    def stderr(self) -> bytes:
        """The last of what it said there."""
        return bytes(self._stderr)

    async def read(self) -> bytes:
        """What comes next on stdout, at most 64 kB; b"" at its end."""
        return await self._stdout.read(_CHUNK_BYTES)

    async def status(self, patience_s: float) -> int | None:
        """Its exit status, negative for a signal, once it has closed stdout. None: it is still there."""
        try:
            async with asyncio.timeout(patience_s):
                await self._process.wait()
        except TimeoutError:
            return None
        await asyncio.wait([self._reading_stderr], timeout=_LAST_WORDS_S)  # a ControlPersist master may hold the pipe
        return self._process.returncode

    async def end(self, patience_s: float) -> None:
        """Close its stdin and end it with whatever it started: politely, then by force."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.returncode is not None:
                break
            with suppress(ProcessLookupError):  # it has ended, and asyncio has not told yet
                os.killpg(self._process.pid, number)
            await self.status(patience_s)
        self._reading_stderr.cancel()
        await asyncio.wait([self._reading_stderr])

    async def _keep_last(self, stderr: asyncio.StreamReader) -> None:
        while data := await stderr.read(_CHUNK_BYTES):
            self._stderr += data
            del self._stderr[:-_STDERR_BYTES]
