"""Doors: a host of the fleet is looked into by a program that takes over the terminal until it ends."""

from __future__ import annotations

import signal
import subprocess
from types import FrameType
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from tokwatch.dashboard.cells import plain
from tokwatch.feeds.fleet import HostDoor

if TYPE_CHECKING:
    from tokwatch.dashboard.fleet.app import FleetApp


def go_through(app: FleetApp, door: HostDoor) -> None:
    """Says what begins, runs it, and comes back to the fleet; how it ended is told where it failed."""
    words = plain(door.words)
    try:
        with app.suspend():
            print(f"tokwatch: {words}; quitting it leads back to the fleet", flush=True)  # noqa: T201  the terminal is the shell's here
            code = run(door)
    except SuspendNotSupported:
        app.say(f"This terminal cannot be lent to another program: {words}.", "warning")
        return
    except OSError as error:
        app.say(f"{words} could not be started: {plain(str(error.filename))}: {error.strerror}", "error")
        return
    app.refresh(layout=True)
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        app.say(f"{words} {how}.", "warning")


def run(door: HostDoor) -> int:
    """Its exit code. ctrl+c is for it alone: the terminal sends it to both."""
    before = signal.signal(signal.SIGINT, _stay)
    try:
        return subprocess.run(door.argv, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _stay(number: int, frame: FrameType | None) -> None:
    """A handler, not SIG_IGN: that one the program would inherit."""
