"""A walk over every screen, prompt and note of the dashboard on hostile data, on whatever terminal it runs on.

It presses real keys, looks at every cell for something that a click would run, and tells what it saw as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.worker import WorkerCancelled

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

_TO_THE_LAST_ALERT: Final = ("5", *("pagedown",) * 12)  # it is a mute; three above it is an alert that can be muted
_TO_AN_ALERT: Final = (*_TO_THE_LAST_ALERT, "up", "up", "up")
SCREENS: Final = {  # the keys that lead there from Fleet
    "Fleet": (),
    "Fleet by host": ("G", "h"),
    "Fleet by state": ("G", "s"),
    "GPU": ("enter",),
    "Servers": ("2", "down"),
    "Server": ("2", "enter", "down"),
    "Frontier": ("3",),
    "Frontier, the next deployment": ("3", "tab", "x"),
    "Money": ("4",),
    "Money, its second page": ("4", "tab"),
    "What if": ("w", "plus"),
    "Alerts": ("5", "down"),
    "Alert": (*_TO_AN_ALERT, "enter"),
    "Alert, a mute": (*_TO_THE_LAST_ALERT, "enter"),
    "Sources": ("6",),
    "Sources, further down": ("6", "pagedown", "pagedown"),
    "Help": ("question_mark",),
    "Inspecting": ("i", "tab", "tab"),
    "Inspect, its page": ("i", "enter", "pagedown"),
}
PROMPTS: Final = {
    "go to": ("g",),
    "price": ("dollar_sign",),
    "filter": ("slash",),
    "dial": ("w", "enter"),
    "mute": (*_TO_AN_ALERT, "u"),
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
OF_THE_PAST: Final = ("Fleet", "GPU", "Money", "Alerts")
OF_ALL: Final = (*OF_THE_PAST, "Servers", "Server", "Frontier", "What if", "Alert", "Sources", "Inspect, its page")
COMPARED: Final = {"Compare": ("c",)}
SIZES: Final = ((120, 40), (80, 24), (160, 50))


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
        self._told: dict[object, Any] = {}

    async def ask(self, question: Question[Answer]) -> Answer:
        key = question, self.steered
        if key not in self._told:
            self._told[key] = poisoned_answer(question, self._steered if self.steered else self._poison)
        answer: Answer = self._told[key]
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
    for text in HOSTILE:
        app.say_starting(text)
    await _look(pilot, app, seen, "what was kept")  # until the feed says something
    await _stroll(pilot, app, seen, live, SIZES[0], {**SCREENS, **CHOICES})
    await _stroll(pilot, app, seen, past, SIZES[1], {name: SCREENS[name] for name in OF_THE_PAST} | COMPARED)
    app.feed.steered = False
    await _stroll(pilot, app, seen, all_hostile, SIZES[2], {name: SCREENS[name] for name in OF_ALL} | COMPARED)
    app.feed.send(live)
    await _type_into_prompts(pilot, app, seen)
    await _take_away(pilot, app, seen)
    await _say(pilot, app, seen)
    seen.attacks = app.attacks
    return seen


async def _stroll(
    pilot: Pilot[Any],
    app: WatchedApp,
    seen: Seen,
    snapshot: Snapshot,
    size: tuple[int, int],
    screens: Mapping[str, tuple[str, ...]],
) -> None:
    await _resize(pilot, size)
    app.feed.send(snapshot)
    await _settle(pilot, app)
    for name, keys in screens.items():
        app.marked_ms = NOW_MS - 3_600_000  # for Compare
        await _visit(pilot, app, seen, f"{name} at {size[0]}×{size[1]}", keys)
    home = app.screen_stack[0]
    assert isinstance(home, FrameScreen)
    text = kept_text(home, app.look, "look", app.console.color_system)
    seen.kept += [text] if text is not None else []


async def _visit(pilot: Pilot[Any], app: WatchedApp, seen: Seen, name: str, keys: tuple[str, ...]) -> None:
    await _press(pilot, keys)
    await _look(pilot, app, seen, name)
    await _back(pilot, app)


async def _press(pilot: Pilot[Any], keys: tuple[str, ...]) -> None:
    """Without Pilot.press, which waits 40 ms for each key until the processor has nothing to do."""
    for key in keys:
        pilot.app.post_message(Key(key, key if len(key) == 1 else None))
        await pilot.pause(0)
        await pilot.pause(0)


async def _back(pilot: Pilot[Any], app: WatchedApp) -> None:
    """To Fleet."""
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause(0)
    app.clear_notifications()


async def _settle(pilot: Pilot[Any], app: WatchedApp) -> None:
    await pilot.pause(0)
    with suppress(WorkerCancelled):  # the palette's search for what was typed before
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
    for _ in range(100):  # Textual takes the size in with a later message
        await pilot.pause()
        if tuple(pilot.app.size) == size:
            return
    raise AssertionError(f"{pilot.app.size} instead of {size}")


async def _look(pilot: Pilot[Any], app: WatchedApp, seen: Seen, name: str) -> None:
    """At every cell, when all of it is there."""
    await _settle(pilot, app)
    seen.visited.append(name)
    for strip in app.screen._compositor.render_strips(app.size):
        for text, style, _ in strip:
            if style is not None and (style.link or "@click" in style.meta):
                seen.live_cells.append(f"{name}: {text!r}")


async def _type_into_prompts(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    """What is pasted into a prompt, and what the prompt says of it."""
    driver = app._driver
    assert driver is not None
    for name, keys in PROMPTS.items():
        await _press(pilot, keys)
        for texts in (HOSTILE[::2], HOSTILE[1::2]):
            for text in texts:
                driver.process_message(Paste(text))
            await pilot.pause()
            if name != "palette":
                await _press(pilot, ("enter",))
        await _look(pilot, app, seen, f"{name}, pasted into and entered")
        await _back(pilot, app)


async def _take_away(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    """The clipboard, files where there is none, pictures, and an export of a store that is not there."""
    for keys in (("y",), ("2", "y"), ("4", "y"), ("6", "y"), ("i", "y"), ("i", "enter", "y"), ("p",), ("e", "d")):
        await _visit(pilot, app, seen, f"taken away by {' '.join(keys)}", keys)
    os.environ["TERM_PROGRAM"] = "Apple_Terminal"
    await _visit(pilot, app, seen, "copied into a file", ("6", "y"))
    await _visit(pilot, app, seen, "muted", (*_TO_AN_ALERT, "u", *"1h", "enter", "x", "enter"))
    await _visit(pilot, app, seen, "jumped", ("n", "N", "m", "a"))


async def _say(pilot: Pilot[Any], app: WatchedApp, seen: Seen) -> None:
    """What a command said, what is under way, and what a failure says."""
    for number, text in enumerate(HOSTILE):
        app.say(*told(Path(f"/tmp/{text}.csv"), Done(number % 2, number % 3 == 0, (text, text))))
        app.show_work(Work(text, 0.0, 0.5, 3.0))
        await pilot.pause()
        if number % 4 == 3:  # so many notes have room
            await _look(pilot, app, seen, "notes and the work line")
            app.clear_notifications()
    app.show_work(None)


def run(terminal: Terminal, folder: Path) -> int:
    """Walks on the terminal that is there, with `folder` as the working directory, and prints what was seen."""
    os.chdir(folder)
    app = WatchedApp(HostileFeed(folder / "store.db"), terminal, boxes()[0], folder.parents[1] / "config")
    seen = Seen()

    async def drive(pilot: Pilot[Any]) -> None:
        nonlocal seen
        seen = await walk(pilot, app)
        app.end_with(CommandError(ALL))

    app.run(auto_pilot=drive)
    print("walked=" + json.dumps(vars(seen)) + "=walked", flush=True)
    return app.return_code or 0
