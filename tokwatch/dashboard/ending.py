"""How the dashboard ends when nobody asked it to: a failed feed, a terminal that goes away."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable

from tokwatch.dashboard.cells import plain


def report(error: Exception) -> str:
    """One line for a failure the user can act on, else a traceback without the locals that Textual's would show."""
    from tokwatch.errors import EXPECTED

    if isinstance(error, EXPECTED):
        return plain(f"tokwatch: {error}")
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(plain(line) for line in lines)


def when_the_terminal_goes(end: Callable[[], None]) -> None:
    """On SIGHUP: let go of the terminal at once, then `end` on the running event loop.

    A handler of the loop would come too late: with SIGHUP the kernel sends SIGCONT, for which Textual begins anew on
    the terminal, with a writer thread that dies of it. Of the two Python handles SIGHUP first.
    """
    loop = asyncio.get_running_loop()

    def hang_up(*_: object) -> None:
        _let_go_of_the_terminal()
        loop.call_soon_threadsafe(end)

    signal.signal(signal.SIGHUP, hang_up)


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
