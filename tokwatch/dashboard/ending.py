"""How the dashboard ends when nobody asked it to: a failed feed, a terminal that goes away."""

from __future__ import annotations

import os
import sys
import traceback

from tokwatch.dashboard.cells import plain


def report(error: Exception) -> str:
    """One line for a failure the user can act on, else a traceback without the locals that Textual's would show."""
    from tokwatch.errors import EXPECTED

    if isinstance(error, EXPECTED):
        return plain(f"tokwatch: {error}")
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(plain(line) for line in lines)


def let_go_of_the_terminal() -> None:
    """Points the standard streams at nothing.

    A terminal that is gone fails every write; Textual's writer thread would die of the first one and leave the app
    waiting for it.
    """
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        if stream is not None:
            os.dup2(nothing, stream.fileno())
    os.close(nothing)
