"""Long work: one of tokwatch's own commands beside the screen, with its progress, cancelled when asked to.

A process of its own: an export of a week keeps a core busy for seconds, and in a thread it would share the
interpreter with the keys. What a command leaves behind when it is ended is what it leaves on ctrl+C: nothing half done.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokwatch.progress import AS_LINES, LINE

_LINE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Work:
    """What is under way, as the screen shows it."""

    title: str  # "exporting 2026-11-21"
    began_s: float
    part: float | None = None  # 0..1; None: not told yet
    left_s: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How it ended: an exit code, or cancelled, and what the command said last."""

    code: int
    cancelled: bool
    said: tuple[str, ...]


class LongWork:
    """Runs one command; `show` gets its progress. Made on the event loop, which it never holds up."""

    def __init__(self, title: str, show: Callable[[Work], None], *, now: Callable[[], float] = time.monotonic) -> None:
        self._work = Work(title, now())
        self._show = show
        self._now = now
        self._process: asyncio.subprocess.Process | None = None
        self._cancelled = False

    async def run(self, arguments: Sequence[str], out: Path | None = None) -> Done:
        """`tokwatch ARGUMENTS`, its data into `out`, which is there only when all of it is. Raises OSError.

        When this task is cancelled the command is ended too.
        """
        self._show(self._work)
        unfinished = None if out is None else out.with_name(f".{out.name}.{os.getpid()}.tmp")
        try:
            code, said = await self._run(arguments, unfinished)
            if out is not None and unfinished is not None and code == 0:
                os.link(unfinished, out)  # fails where somebody made it meanwhile, instead of replacing it
            return Done(code, self._cancelled, said)
        finally:
            if unfinished is not None:
                unfinished.unlink(missing_ok=True)

    def cancel(self) -> None:
        """Ends the command as ctrl+C would."""
        self._cancelled = True
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)

    async def _run(self, arguments: Sequence[str], out: Path | None) -> tuple[int, tuple[str, ...]]:
        data = asyncio.subprocess.DEVNULL if out is None else os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            # -P: what lies in the working directory is not ours, whatever it is called.
            process = self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "tokwatch", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=data,
                stderr=asyncio.subprocess.PIPE,
                limit=_LINE_BYTES,
                env=os.environ | {AS_LINES[0]: AS_LINES[1]},
            )
        finally:
            if out is not None:
                os.close(data)
        try:
            if self._cancelled:  # before there was a process
                process.send_signal(signal.SIGINT)
            said = await self._listen(process)
            return await process.wait(), said
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _listen(self, process: asyncio.subprocess.Process) -> tuple[str, ...]:
        assert process.stderr is not None
        said: list[str] = []
        async for raw in process.stderr:
            line = raw.decode(errors="replace").rstrip("\n")
            if line.startswith(LINE):
                self._tell(float(line.removeprefix(LINE)))
            else:
                said.append(line)
        return tuple(said)

    def _tell(self, part: float) -> None:
        elapsed_s = self._now() - self._work.began_s
        left_s = elapsed_s / part * (1 - part) if part > 0 else None
        self._work = replace(self._work, part=part, left_s=left_s)
        self._show(self._work)
