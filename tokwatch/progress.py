"""How far a long command has come: a bar on stderr, from its second second on, gone when it ends.

Under TOKWATCH_PROGRESS=lines a line "progress 0.42" instead, for the dashboard that started the command.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

_SILENT_S: Final = 1.0
_REDRAWN_EVERY_S: Final = 0.1
_BAR_CELLS: Final = 20
_CLEAR: Final = "\r\x1b[K"
AS_LINES: Final = ("TOKWATCH_PROGRESS", "lines")
LINE: Final = "progress "


class Progress:
    """`with Progress("exporting", total=n) as progress: progress.update(done)`; on no terminal it does nothing.

    Keep what is printed elsewhere on stderr out of the block, or it lands behind the bar.
    """

    def __init__(
        self, what: str, total: float, *, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """total: what `done` comes to. out: stderr, unless told otherwise. clock: seconds."""
        self._what, self._total, self._clock = what, total, clock
        self._out = sys.stderr if out is None else out
        self._as_lines = os.environ.get(AS_LINES[0]) == AS_LINES[1]
        self._shown_on = not self._as_lines and self._out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._began_s = clock()
        self._drawn_s: float | None = None
        self._told_s: float | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._drawn_s is not None:
            self._out.write(_CLEAR)
            self._out.flush()

    def update(self, done: float) -> None:
        """Say how much is done, as often as one likes."""
        now_s = self._clock()
        if self._as_lines:
            self._tell(done, now_s)
            return
        if not self._shown_on or now_s - self._began_s < _SILENT_S:
            return
        if self._drawn_s is not None and now_s - self._drawn_s < _REDRAWN_EVERY_S:
            return
        self._drawn_s = now_s
        room = shutil.get_terminal_size().columns - 1  # a full line would wrap and could not be cleared
        self._out.write(_CLEAR + self._line(done, now_s - self._began_s)[:room])
        self._out.flush()

    def _tell(self, done: float, now_s: float) -> None:
        if self._told_s is None or now_s - self._told_s >= _REDRAWN_EVERY_S:
            self._told_s = now_s
            self._out.write(f"{LINE}{self._part(done):.3f}\n")
            self._out.flush()

    def _part(self, done: float) -> float:
        return min(1.0, max(0.0, done / self._total)) if self._total > 0 else 0.0

    def _line(self, done: float, elapsed_s: float) -> str:
        part = self._part(done)
        bar = ("#" * int(part * _BAR_CELLS)).ljust(_BAR_CELLS, ".")
        left = f", {_duration(elapsed_s / part * (1 - part))} left" if part else ""
        return f"{self._what} [{bar}] {part:4.0%}{left}"


def _duration(length_s: float) -> str:
    minutes, seconds = divmod(round(length_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
