"""A program in a terminal of its own: a pty of 120×40 that is read and timed here, its CPU time and its memory."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS, ROWS = 120, 40
_LIMIT_S = 60.0


class Terminal:
    """Begins at once; `close` ends it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.started_s = time.perf_counter()
        self.out = b""
        master, slave = pty.openpty()
        # Before the program is there: it may ask for its size at once.
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.pid = os.fork()
        if self.pid == 0:
            os.close(master)
            os.login_tty(slave)
            os.execvpe(command[0], [*command], {**environment})
        os.close(slave)
        self._master = master
        self._ended = False

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Killed where it has not ended."""
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def read(self, seconds: float) -> bytes:
        """All that it writes in that time."""
        end, out = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            out += self._read(left)
        return out

    def until(self, text: bytes, after: int = 0, limit_s: float = _LIMIT_S) -> float:
        """Seconds from its start until `text` had come, at or after that byte. Raises TimeoutError."""
        while text not in self.out[after:]:
            if time.perf_counter() > self.started_s + limit_s or self._ended:
                raise TimeoutError(f"{text!r} did not come; it said {self.out[-300:]!r}")
            self._read(0.2)
        return time.perf_counter() - self.started_s

    def ended(self) -> float:
        """Seconds from its start to its end."""
        while not self._ended:
            self._read(0.2)
        return time.perf_counter() - self.started_s

    def answered(self, keys: bytes, text: bytes, limit_s: float = 2.0) -> float | None:
        """Seconds from the keys to the text; None: it did not come."""
        before, began = len(self.out), time.perf_counter()
        self.type(keys)
        while text not in self.out[before:]:
            if time.perf_counter() > began + limit_s:
                return None
            self._read(0.05)
        return time.perf_counter() - began

    def cpu_s(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> tuple[float, float]:
        """Rss and Pss."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]
        rows = dict(line.split(":", 1) for line in lines)
        return int(rows["Rss"].split()[0]) / 1024, int(rows["Pss"].split()[0]) / 1024

    def _read(self, limit_s: float) -> bytes:
        if self._ended or not select.select([self._master], [], [], limit_s)[0]:
            return b""
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody holds the other side
            data = b""
        if not data:
            os.waitpid(self.pid, 0)
            self._ended = True
        self.out += data
        return data
