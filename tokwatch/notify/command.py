"""The command hook: a fixed list of words, no shell; what it is about is in its environment and on its standard input.

Nothing that comes from outside (model names, texts) is ever a word of the command.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from tokwatch.notify.message import Message, variables
from tokwatch.notify.outlet import NotifyError

# The recorder's own environment may hold secrets: those that log in to metrics pages.
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_RUNTIME_DIR")


class CommandHook:
    """Runs the command for each message, one after the other."""

    retries_s: Sequence[float] = ()
    wants_reminders = False

    def __init__(self, command: Sequence[str], *, timeout_s: float) -> None:
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self.name = f"notify {self._command[0]}"

    async def send(self, message: Message) -> None:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | variables(message)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                # The dashboard draws on stderr: nobody else may.
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise NotifyError(f"{self._command[0]} cannot be run: {why}") from None
        try:
            async with asyncio.timeout(self._timeout_s):
                await process.communicate(msgspec.json.encode(message) + b"\n")
        except TimeoutError:
            raise NotifyError(f"{self._command[0]} was ended: it took longer than {self._timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):  # it ended just now
                    os.killpg(process.pid, signal.SIGKILL)  # and what it started
                await process.wait()
        if process.returncode:
            raise NotifyError(f"{self._command[0]} failed: it ended with {_ending(process.returncode)}")

    async def close(self) -> None:
        """Nothing is held between two runs."""


def _ending(code: int) -> str:
    return f"status {code}" if code > 0 else signal.Signals(-code).name
