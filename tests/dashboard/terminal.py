"""A real pseudo-terminal with a program on it, for tests: what the program writes, byte by byte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOT = Path(__file__).parents[2]


class Terminal:
    """The user's side of the pty."""

    def __init__(self, scene: str, width: int, height: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        # A pty has no size in the environment of its parent: only the ioctl may speak.
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboard.pty_app", scene],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=_ROOT,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"},
            start_new_session=True,
        )
        os.close(slave)

    def read(self, length_s: float) -> bytes:
        """Everything written in the next `length_s` seconds."""
        end, data = time.monotonic() + length_s, b""
        while (left := end - time.monotonic()) > 0:
            data += self._read_once(left)
        return data

    def read_until(self, text: str, limit_s: float = 20) -> bytes:
        """Everything written until `text` has come; TimeoutError with what came when it does not."""
        end, data = time.monotonic() + limit_s, b""
        while text.encode() not in data:
            left = end - time.monotonic()
            if left <= 0 or (self.process.poll() is not None and not select.select([self._master], [], [], 0)[0]):
                raise TimeoutError(f"{text!r} did not come; {data[-2000:]!r}")
            data += self._read_once(min(left, 0.2))
        return data

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def hang_up(self) -> None:
        """The terminal goes away, as when a window is closed."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)
        if self._master >= 0:
            os.close(self._master)

    def _read_once(self, limit_s: float) -> bytes:
        if self._master in select.select([self._master], [], [], limit_s)[0]:
            try:
                return os.read(self._master, 65536)
            except OSError:  # EIO: the program has ended
                time.sleep(min(limit_s, 0.01))
        return b""


@contextmanager
def terminal(scene: str, width: int = 120, height: int = 40) -> Iterator[Terminal]:
    """The dashboard with a scene of pty_app on a terminal of its own; ended on the way out."""
    user = Terminal(scene, width, height)
    try:
        yield user
    finally:
        user.close()
