"""Terminal: the alternate screen that first sight enters and Textual takes over, and the way back when it does not."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # without `typing`, which takes a tenth of the time to the first paint
    from types import FrameType
    from typing import Any

_STDIN, _STDERR = 0, 2  # Textual reads and draws there
_ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"  # alternate screen, no cursor, no wrapping at the right edge
_LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"
_LFLAG = 3  # of the attributes

_stands = False
_before: list[Any] | None = None  # the terminal's attributes before its echo was turned off


def enter(painted: str) -> None:
    """Show it. What is typed meanwhile is kept for Textual, and not echoed into the picture."""
    global _stands  # the terminal of a process is one
    _stands = True
    _write(_ENTER + painted)
    import signal  # after the paint: it brings `enum` along

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    _turn_echo_off()


def hand_over() -> bool:
    """Textual goes on where it stands; whether it did stand."""
    global _stands
    stood, _stands = _stands, False
    if stood:
        _turn_echo_on()
    return stood


def leave() -> None:
    """Back to what the terminal showed before, where nobody took over."""
    if hand_over():
        _write(_LEAVE)


def _end(number: int, _: FrameType | None) -> None:
    import signal

    leave()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _turn_echo_off() -> None:
    import termios

    global _before
    _before = termios.tcgetattr(_STDIN)
    quiet = list(_before)
    quiet[_LFLAG] &= ~termios.ECHO
    termios.tcsetattr(_STDIN, termios.TCSANOW, quiet)


def _turn_echo_on() -> None:
    import termios

    if _before is not None:
        termios.tcsetattr(_STDIN, termios.TCSANOW, _before)


def _write(text: str) -> None:
    data = text.encode("utf-8", "replace")
    while data:
        data = data[os.write(_STDERR, data) :]
