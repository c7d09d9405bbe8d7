"""How the dashboard ends when nobody asked it to: a failed feed, a signal, a terminal that goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import termios
import threading
import traceback
from collections.abc import Callable

from tokwatch.dashboard.cells import plain

_AT_THE_LATEST_S = 2.0
# Leave the alternate screen, show the cursor, and end mouse, paste, focus, size and keyboard reports.
_LEAVE = b"\x1b[?1049l\x1b[?25h\x1b[?7h\x1b[<u" + b"".join(
    b"\x1b[?%dl" % mode for mode in (1000, 1003, 1015, 1006, 2004, 1004, 2048)
)


def report(error: Exception) -> str:
    """One line for a failure the user can act on, else a traceback without the locals that Textual's would show."""
    from tokwatch.errors import EXPECTED

    if isinstance(error, EXPECTED):
        return plain(f"tokwatch: {error}")
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(plain(line) for line in lines)


def end_on_signals(end: Callable[[signal.Signals], None]) -> None:
    """On SIGTERM, SIGHUP and a terminal that goes away: `end` on the running event loop, and the process in 2 s.

    Python's handlers, not the loop's: those would come too late to let go of a terminal that is gone, and not at all
    while the loop waits for one that takes nothing.
    """
    loop = asyncio.get_running_loop()

    def told(number: int, _: object) -> None:
        for each in (signal.SIGTERM, signal.SIGHUP):  # once is enough
            signal.signal(each, signal.SIG_IGN)
        last_resort.args = (number,)
        last_resort.start()
        if number == signal.SIGHUP:
            _let_go_of_the_terminal()
        loop.call_soon_threadsafe(end, signal.Signals(number))

    last_resort = threading.Timer(_AT_THE_LATEST_S, _end_now)
    last_resort.daemon = True
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, told)
    threading.Thread(target=_hang_up_with_the_terminal, name="hang-up", daemon=True).start()


def _hang_up_with_the_terminal() -> None:
    """Sends the SIGHUP that the kernel sends only to a terminal's own session: not under setsid, nohup and the like.

    Without it Textual's input thread would read end of file for ever, as fast as it can.
    """
    terminal = select.poll()
    terminal.register(0, 0)  # no event is asked for: what is left are errors and hang-up
    terminal.poll()
    os.kill(os.getpid(), signal.SIGHUP)


def _end_now(number: int) -> None:
    """Without asking what keeps it: a feed that does not close, a terminal that takes no output."""
    with contextlib.suppress(OSError, termios.error):  # there may be no terminal any more
        os.set_blocking(2, False)
        os.write(2, _LEAVE)
        mode = termios.tcgetattr(0)
        mode[0] |= termios.ICRNL | termios.IXON
        mode[3] |= termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG
        termios.tcsetattr(0, termios.TCSANOW, mode)
    os._exit(128 + number)


def _let_go_of_the_terminal() -> None:
    """Points the standard streams at nothing.

    A terminal that is gone fails every write; Textual's writer thread would die of the first one and leave the app
    waiting for it.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nothing, stream.fileno())
    os.close(nothing)
