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
            how = through(door)  # raises nothing: the terminal would not be taken back
    except SuspendNotSupported:
        app.say(f"This terminal cannot be lent to another program: {words}.", "warning")
        return
    app.refresh(layout=True)
    if how:
        app.say(f"{words} {how}.", "warning")


def through(door: HostDoor) -> str:
    """How it failed, in words that follow its name; "" where it did not."""
    try:
        code = run(door)
    except (OSError, ValueError) as error:  # ValueError: of an argument with a NUL in it
        return f"could not be started: {plain(str(error))}"
    if not code:
        return ""
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def run(door: HostDoor) -> int:
    """Its exit code. ctrl+c is for it alone: the terminal sends it to both."""
    before = signal.signal(signal.SIGINT, _stay)
    try:
        return subprocess.run(door.argv, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _stay(number: int, frame: FrameType | None) -> None:
    """A handler, not SIG_IGN: that one the program would inherit."""
