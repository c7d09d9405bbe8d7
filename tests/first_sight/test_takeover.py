"""The dashboard as a process on a real terminal: first sight, Textual's taking over, and every way out."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.box import CommandBox
from tokwatch.first_sight.kept import FRAME_KEY

WIDTH, HEIGHT = 120, 40
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Screen:
    """A terminal, and what was written on it."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        self.written = b""

    def read_until(self, found: Callable[[bytes], bool], limit_s: float = 20) -> None:
        end = time.monotonic() + limit_s
        while not found(self.written) and (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], min(left, 0.1))[0]:
                self.written += os.read(self._master, 65536)
        assert found(self.written), self.written[-1500:]

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def ended(self) -> int:
        """Its exit code, when it has left the terminal as it was."""
        self.read_until(lambda written: self.process.poll() is not None and LEAVE in written)
        assert termios.tcgetattr(self._slave) == self.before
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> CommandBox:
    box = CommandBox(tmp_path_factory.mktemp("box"))
    box.environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    return box


@pytest.fixture
def start(box: CommandBox) -> Iterator[Callable[..., Screen]]:
    screens: list[Screen] = []

    def begin(*options: str | Path) -> Screen:
        screens.append(Screen(box.command(*options), box.environment))
        return screens[-1]

    yield begin
    for screen in screens:
        screen.close()


def test_the_next_start_shows_at_once_what_was_on_screen_and_textual_goes_on_there(
    box: CommandBox, start: Callable[..., Screen]
) -> None:
    first = start()
    first.read_until(lambda written: b"LIVE" in written and b"H100" in written)
    first.type(b"q")
    assert first.ended() == 0
    with closing(sqlite3.connect(box.store)) as connection:
        kept = connection.execute("SELECT value FROM meta WHERE key = ?", (FRAME_KEY,)).fetchone()[0]
    assert "LIVE" not in kept

    second = start()
    second.read_until(lambda written: b"old, warming up" in written and b"Sources" in written)
    sight = second.written.partition(b"\x1b[?1000h")[0]
    assert b"H100" in sight
    second.read_until(lambda written: b"LIVE" in written)
    taken_over = second.written[len(sight) :]
    assert second.written.count(ENTER) == 1
    assert b"\x1b[2J" not in taken_over
    assert b"\xe2\x80\x93 warming up" not in taken_over  # no empty frame in between
    second.type(b"q")
    assert second.ended() == 0


def test_a_start_without_a_store_shows_the_header(box: CommandBox, start: Callable[..., Screen]) -> None:
    screen = start("--store", box.folder / "new.db")
    screen.read_until(lambda written: b"\x1b[?1000h" in written)
    assert b"\xe2\x80\x93 warming up" in screen.written.partition(b"\x1b[?1000h")[0]
    screen.read_until(lambda written: b"Sources" in written)
    screen.type(b"q")
    assert screen.ended() == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGHUP, -1)])
def test_a_signal_while_first_sight_stands_leaves_the_terminal_as_it_was(
    start: Callable[..., Screen], number: signal.Signals, code: int
) -> None:
    screen = start()
    screen.read_until(lambda written: ENTER in written and not screen.echoes)  # the last thing that it does
    screen.process.send_signal(number)
    # Of `python -m`, CPython 3.11 ends by SIGINT itself, which a shell calls 130 too, where it came while a text was
    # executed (a dataclass's methods, during an import): it takes that for unhandled, though it was handled above.
    same = (code, -signal.SIGINT) if number == signal.SIGINT else (code,)
    assert screen.ended() in same


def test_what_cannot_start_says_so_on_the_terminal_that_was(box: CommandBox, start: Callable[..., Screen]) -> None:
    broken = box.folder / "broken.toml"
    broken.write_text("interval_s = 'often'\n")
    screen = start("--config", broken)
    assert screen.ended() == 1
    assert b"broken.toml" in screen.written.rpartition(LEAVE)[2]
