"""A walk over every screen, prompt and note of the dashboard on hostile data, on whatever terminal it runs on.

It presses real keys, looks at every cell for something that a click would run, and tells what it saw as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from textual.events import Paste
from textual.pilot import Pilot

from tests.dashboard.hostile import ALL, HOSTILE, OWN, STEERING, boxes, hostile_marks, hostile_windows, poisoned_answer
from tests.dashboard.poison import Poison
from tests.dashboard.snapshots import NOW_MS, FakeFeed
from tests.dashboard.waiting import all_answered
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.dashboard.appearance import Preferences
from tokwatch.dashboard.exporting import told
from tokwatch.dashboard.keeping import kept_text
from tokwatch.dashboard.long_work import Done, Work
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.terminal import Terminal
from tokwatch.errors import CommandError
from tokwatch.feeds.mark import Kind, Mark, next_mark
from tokwatch.feeds.question import Question
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.window_figures import WindowFigures

Answer = TypeVar("Answer")

SCREENS: Final = {  # the keys that lead there from Fleet
    "Fleet": (),
    "Fleet by host": ("G", "h"),
    "Fleet by deployment": ("G", "d"),
    "Fleet by state": ("G", "s"),
    "GPU": ("enter",),
    "GPU, another": ("enter", "down", "minus"),
    "Servers": ("2", "down"),
    "Server": ("2", "enter", "down"),
    "Frontier": ("3",),
    "Frontier, the next deployment": ("3", "tab", "x"),
    "Money": ("4",),
    "Money, its second page": ("4", "tab"),
    "What if": ("w", "plus"),
    "Alerts": ("5", "down"),
    "Alert": ("5", "end", *("down",) * 200, "enter"),
    "Sources": ("6",),
    "Sources, further down": ("6", *("pagedown",) * 6),
    "Help": ("question_mark",),
    "Help of Money": ("4", "question_mark"),
    "Inspecting": ("i", "tab", "tab"),
    "Inspect, its page": ("i", "enter", "pagedown"),
    "Inspecting a server": ("2", "i", "down"),
    "Inspecting money": ("4", "i", "right"),
}
PROMPTS: Final = {
    "go to": ("g",),
    "price": ("dollar_sign",),
    "filter": ("slash",),
    "dial": ("w", "enter"),
    "mute": ("5", "u"),
    "palette": ("colon",),
    "find in help": ("question_mark", "slash"),
    "frontier's box": ("3", "b"),
}
CHOICES: Final = {
    "kinds": ("m",),
    "sort": ("s",),
    "group": ("G",),
    "columns": ("C", "down"),
    "export": ("e", "down"),
}
SIZES: Final = ((120, 40), (80, 24), (200, 60))


class HostileFeed(FakeFeed):
    """Whatever it says attacks."""

    def __init__(self, store: Path) -> None:
        super().__init__([])
        self.store = store
        self.marks = hostile_marks()
        self.refuses = ALL
        self._poison = Poison(HOSTILE, OWN)
        self._steered = Poison(HOSTILE, OWN | STEERING)
        self.steered = True

    async def ask(self, question: Question[Answer]) -> Answer:
        answer: Answer = poisoned_answer(question, self._steered if self.steered else self._poison)  # type: ignore[assignment]
        return answer

    async def window(self, end_ms: int, length_ms: int) -> WindowFigures:
        return hostile_windows(end_ms, length_ms)

    async def jump(self, kind: Kind | None, *, forward: bool) -> Mark | None:
        return next_mark(self.marks, NOW_MS - 7_200_000, kind, forward=forward)


class WatchedApp(TokwatchApp):
    """Knows what it was made to do."""

    def __init__(self, feed: HostileFeed, terminal: Terminal, first: Snapshot, directory: Path) -> None:
        super().__init__(
            feed,
            terminal=terminal,
            now=lambda: NOW_MS / 1000,
            first=first,
            preferences=Preferences(theme=ALL, directory=directory),
        )
        self.feed = feed
        self.attacks: list[str] = []

    def action_attacked(self) -> None:
        self.attacks.append("attacked")

    async def action_quit(self) -> None:
        self.attacks.append("quit")


@dataclass
class Seen:
    """What the walk tells."""

    visited: list[str] = field(default_factory=list)
    attacks: list[str] = field(default_factory=list)
    live_cells: list[str] = field(default_factory=list)  # of which a click would run something, or a terminal a link
    kept: list[str] = field(default_factory=list)  # frames for first sight


async def walk(pilot: Pilot[Any], app: WatchedApp) -> Seen:
    """All of it."""
    seen = Seen()
    live, past, all_hostile = boxes()
    await _settle(pilot, app)
    _look(app, seen, "what was kept")  # until the feed says something
    for text in HOSTILE:
        app.say_starting(text)
    for number, (snapshot, steered, size) in enumerate(
        ((live, True, SIZES[0]), (past, True, SIZES[1]), (all_hostile, False, SIZES[2]))
    ):
        await _resize(pilot, size)
        app.feed.steered = steered
        app.feed.send(snapshot)
        await _settle(pilot, app)
        for name, keys in {**SCREENS, **CHOICES}.items():
            await _visit(pilot, app, seen, f"{name}, {number}", keys)
        _keep(app, seen)
        await _compare(pilot, app, seen)
    await _type_into_prompts(pilot, app, seen)
    await _take_away(pilot, app, seen)
    await _say(pilot, app, seen)
    seen.attacks = app.attacks
    return seen


async def _visit(pilot: Pilot[Any], app: WatchedApp, seen: Seen, name: str, keys: tuple[str, ...]) -> None:
    await pilot.press(*keys)
    await _settle(pilot, app)
    _look(app, seen, name)
    await _back(pilot, app)


async def _back(pilot: Pilot[Any], app: WatchedApp) -> None:
    """To Fleet."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause()
    app.clear_notifications()


async def _settle(pilot: Pilot[Any], app: WatchedApp) -> None:
    await pilot.pause()
    await all_answered(app)
    await pilot.pause()


async def _resize(pilot: Pilot[Any], size: tuple[int, int]) -> None:
    if pilot.app.is_headless:
        await pilot.resize_terminal(*size)
        return
    import fcntl
    import struct
    import termios

    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    os.kill(os.getpid(), signal.SIGWINCH)
    while tuple(pilot.app.size) != size:
        await asyncio.sleep(0)  # Textual reads the size in a thread of its own
    await pilot.pause()


def _look(app: WatchedApp, seen: Seen, name: str) -> None:
    seen.visited.append(name)
    for strip in app.screen._compositor.render_strips(app.size):
        for text, style, _ in strip:
            if style is not None and (style.link or any(key.startswith("@") for key in style.meta)):
                seen.live_cells.append(f"{name}: {text!r}")


def _keep(app: WatchedApp, seen: Seen) -> None:
    home = app.screen_stack[0]
    assert isinstance(home, FrameScreen)
    text = kept_text(home, app.look, "look", app.console.color_system)
    seen.kept += [text] if text is not None else []


async def _compare(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    app.marked_ms = NOW_MS - 3_600_000
    await _visit(pilot, app, seen, "Compare", ("c",))


async def _type_into_prompts(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    """What is pasted into a prompt, and what the prompt says of it."""
    for name, keys in PROMPTS.items():
        await pilot.press(*keys)
        for text in HOSTILE:
            if app.focused is not None:
                app.focused.post_message(Paste(text))
                await pilot.press("enter" if name != "palette" else "end")
        await _settle(pilot, app)
        _look(app, seen, f"{name}, typed into")
        await _back(pilot, app)


async def _take_away(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    """The clipboard, files where there is none, pictures, and an export of a store that is not there."""
    for keys in (("y",), ("2", "y"), ("4", "y"), ("6", "y"), ("i", "y"), ("i", "enter", "y"), ("p",), ("e", "d")):
        await _visit(pilot, app, seen, f"taken away by {' '.join(keys)}", keys)
    os.environ["TERM_PROGRAM"] = "Apple_Terminal"
    await _visit(pilot, app, seen, "copied into a file", ("6", "y"))
    await _visit(pilot, app, seen, "muted", ("5", "u", *"1h", "enter", "x", "enter"))
    await _visit(pilot, app, seen, "jumped", ("n", "N", "m", "a"))


async def _say(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    """What a command said, what is under way, and what a failure says."""
    for text in HOSTILE:
        app.say(*told(Path(f"/tmp/{text}.csv"), Done(1, False, (text,))))
        app.say(*told(Path(f"/tmp/{text}.csv"), Done(0, False, (text, text))))
        app.say(*told(Path(f"/tmp/{text}.csv"), Done(0, True, ())))
        app.show_work(Work(text, 0.0, 0.5, 3.0))
        await pilot.pause()
        _look(app, seen, "notes and the work line")
        app.clear_notifications()
    app.show_work(None)




def run(terminal: Terminal, folder: Path) -> int:
    """Walks on the terminal that is there, with `folder` as the working directory, and prints what was seen."""
    os.chdir(folder)
    app = WatchedApp(HostileFeed(folder / f"{ALL[:60].replace('/', '').replace(chr(0), '')}.db"), terminal, boxes()[0], folder.parent / "config")
    seen = Seen()

    async def drive(pilot: Pilot[Any]) -> None:
        nonlocal seen
        seen = await walk(pilot, app)
        app.end_with(CommandError(ALL))

    app.run(auto_pilot=drive)
    print("walked=" + json.dumps(vars(seen)) + "=walked", flush=True)
    return app.return_code or 0
