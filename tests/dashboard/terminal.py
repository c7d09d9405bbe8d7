"""A real pseudo-terminal with a program on it, for tests: what the program writes, byte by byte."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

from tokwatch.dashboard.terminal import detect, settle

_ROOT = Path(__file__).parents[2]
_USUAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "TEXTUAL_ANIMATIONS": "none"}
_NOT_OF_THE_PARENT = ("COLUMNS", "LINES", "NO_COLOR", "TEXTUAL_COLOR_SYSTEM", "LC_ALL", "LC_CTYPE", "STY", "TMUX")
_NONE: Mapping[str, str] = {}


class Terminal:
    """The user's side of the pty."""

    def __init__(
        self, scene: str, width: int, height: int, flags: Sequence[str] = (), environment: Mapping[str, str] = _NONE
    ) -> None:
        self._master, slave = pty.openpty()
        self.resize(width, height)
        # A pty has no size in the environment of its parent: only the ioctl may speak.
        env = {name: value for name, value in os.environ.items() if name not in _NOT_OF_THE_PARENT}
        env |= {**_USUAL, **environment}
        settle(detect(env, slow_link="slow-link" in flags), env)  # as the commands do before they import Textual
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboard.pty_app", scene, *flags],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=_ROOT,
            env=env,
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

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

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
def terminal(
    scene: str,
    width: int = 120,
    height: int = 40,
    flags: Sequence[str] = (),
    environment: Mapping[str, str] = _NONE,
) -> Iterator[Terminal]:
    """The dashboard with a scene and flags of pty_app on a terminal of its own; ended on the way out."""
    user = Terminal(scene, width, height, flags, environment)
    try:
        yield user
    finally:
        user.close()


def screen(sent: bytes, width: int, height: int) -> list[str]:
    """The rows of a terminal that got these bytes."""
    shown = pyte.Screen(width, height)
    # pyte writes out what it does not know: private sequences, queries, the shape of the mouse pointer.
    pyte.ByteStream(shown).feed(
        re.sub(rb"\x1b\[[<>=?][0-9;]*[a-zA-Z]|\x1b\[[0-9;?]*\$p|\x1b\]22;[a-z-]*\x07", b"", sent)
    )
    return list(shown.display)
