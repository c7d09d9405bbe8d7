"""The app: follows a Feed, turns each Snapshot into one Frame, and holds the keys that all screens share."""

from __future__ import annotations

import asyncio
import functools
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from rich.text import Text
from textual.app import SystemCommand
from textual.reactive import var
from textual.screen import Screen
from textual.theme import Theme

from tokwatch.dashboard.bell import Bell
from tokwatch.dashboard.ending import report, when_the_terminal_goes
from tokwatch.dashboard.frame import Frame, SnapshotArrived
from tokwatch.dashboard.keys import SHARED
from tokwatch.dashboard.mark_words import KEY_OF_KIND
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.registry import TABS, screen_class
from tokwatch.dashboard.theme import DARK_THEME, LIGHT_THEME, Look, palette_of
from tokwatch.dashboard.time_travel import TimeTravel
from tokwatch.feeds import Feed
from tokwatch.feeds.question import Question
from tokwatch.ledger.snapshot import Snapshot

Answer = TypeVar("Answer")

LATE_AFTER = 5  # intervals without a Snapshot
_CHECK_S = 1.0


class TokwatchApp(TimeTravel):
    """The dashboard over a feed, or over something that opens one after the first paint.

    `first` is the last known Snapshot of an earlier run, shown with its age until a new one comes. `run()` returns
    "demo" when the user asked for the demo. After a failure `return_code` is not 0 and `failure` says why.
    """

    ENABLE_COMMAND_PALETTE = True
    TITLE = "tokwatch"
    BINDINGS = [*SHARED]

    # var, not reactive: a reactive of the app repaints the whole screen, 20 kB a tick.
    look: var[Look] = var(Look(), init=False)

    def __init__(
        self,
        feed: Feed | Callable[[], Awaitable[Feed]],
        *,
        ascii_only: bool = False,
        light: bool = False,
        first: Snapshot | None = None,
        now: Callable[[], float] = time.time,
        bell: Bell | None = None,
    ) -> None:
        super().__init__()
        self._rings = bell or Bell()
        self.failure: BaseException | None = None
        self._source = feed
        self._now = now
        self._arrived_s: float | None = None  # when the newest Snapshot came
        self._sources_opened_itself = False
        self._seen_any = False
        self.register_theme(DARK_THEME)
        self.register_theme(LIGHT_THEME)
        self.theme = LIGHT_THEME.name if light else DARK_THEME.name
        self.set_reactive(TokwatchApp.look, Look(palette_of(LIGHT_THEME if light else DARK_THEME), ascii_only))
        if first is not None:
            self.set_reactive(TokwatchApp.frame, self._kept_frame(first))

    # Life

    def get_default_screen(self) -> Screen[None]:
        return FleetScreen()

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._take_theme)
        if not self.is_headless:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end, signal.SIGTERM)
            when_the_terminal_goes(lambda: self._end(signal.SIGHUP))
        self.set_interval(_CHECK_S, self._check_age)
        self.call_after_refresh(self._start_following)

    async def on_unmount(self) -> None:
        if self._feed is not None:
            await self._feed.close()

    def _start_following(self) -> None:
        self.run_worker(self._follow(), name="follow", exit_on_error=False)

    async def _follow(self) -> None:
        try:
            source = self._source
            self._feed = await source() if callable(source) else source
            async for snapshot in self._feed.snapshots():
                self.post_message(SnapshotArrived(snapshot))
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.end_with(error)

    async def ask(self, question: Question[Answer]) -> Answer | None:
        """The stored past's answer; None before the feed is open, and where it failed, which ends the app."""
        if self._feed is None:
            return None
        try:
            return await self._feed.ask(question)
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.end_with(error)
            return None

    def end_with(self, error: Exception) -> None:
        self.failure = error
        self.exit(return_code=1, message=Text(report(error)))

    def _end(self, number: signal.Signals) -> None:
        self.exit(return_code=128 + number)

    # Frames

    def on_snapshot_arrived(self, message: SnapshotArrived) -> None:
        self._arrived_s = self._now()
        self.frame = self._frame(message.snapshot)
        if self._rings.rings(message.snapshot):
            self.bell()
        self._open_sources_when_empty(message.snapshot)

    def _frame(self, snapshot: Snapshot, *, age_s: float | None = None) -> Frame:
        feed = self._feed
        assert feed is not None  # it sent the Snapshot
        return Frame(
            snapshot,
            age_s=age_s,
            speed=feed.speed,
            span_ms=feed.span_ms,
            can_go_live=feed.can_go_live,
            marks=feed.marks,
            marked_ms=self.marked_ms,
            what_if=feed.what_if,
        )

    def say_starting(self, text: str) -> None:
        """What the opening of the feed is busy with. On screen until the first Snapshot; call it on the event loop."""
        if self.frame.snapshot is None:
            self.frame = Frame(starting=text)

    def show_kept(self, first: Snapshot) -> None:
        """The last stored moment, with its age, until the first new one; call it on the event loop."""
        if self.frame.snapshot is None:
            self.frame = self._kept_frame(first)

    def _kept_frame(self, first: Snapshot) -> Frame:
        return Frame(first, kept=True, age_s=max(0.0, self._now() - first.wall_ms / 1000))

    def _check_age(self) -> None:
        """Keeps ages and spans true while no Snapshot comes. Nothing is repainted when they read the same."""
        snapshot = self.frame.snapshot
        if snapshot is None:
            return
        if self.frame.kept:
            self.frame = self._kept_frame(snapshot)
        elif self._arrived_s is not None:
            silent_s = self._now() - self._arrived_s
            late = snapshot.mode == "live" and silent_s > LATE_AFTER * snapshot.interval_s
            self.frame = self._frame(snapshot, age_s=silent_s if late else None)

    def _open_sources_when_empty(self, snapshot: Snapshot) -> None:
        """With nothing found Sources is the screen that helps; the home screen comes back with the first find."""
        empty = snapshot.nothing_found
        if empty and snapshot.probes and not self._seen_any and not self._sources_opened_itself:
            self._sources_opened_itself = True
            self.action_show_screen("Sources")
        elif not empty and not self._seen_any:
            self._seen_any = True
            if self._sources_opened_itself:
                self.action_show_fleet()

    # Screens and looks

    def action_show_screen(self, name: str) -> None:
        """Opens a screen of the footer over Fleet, which stays below all of them."""
        tab = next(tab for tab in TABS if tab.name == name)
        if isinstance(self.screen, FrameScreen) and name == self.screen.TAB and not self.screen.DRILLED:
            return
        self.action_show_fleet()
        if name != FleetScreen.TAB:
            self.push_screen(screen_class(tab)())

    def action_show_fleet(self) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_leave(self) -> None:
        """To the screen below; nothing on Fleet."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_what_if(self) -> None:
        from tokwatch.dashboard.screens.what_if import WhatIfScreen  # not part of the first frame

        if not isinstance(self.screen, WhatIfScreen):
            self.push_screen(WhatIfScreen())

    def action_inspect(self) -> None:
        from tokwatch.dashboard.inspecting import inspect

        inspect(self)

    def action_copy_table(self) -> None:
        from tokwatch.dashboard.taking_away import copy_table

        copy_table(self)

    def action_save_picture(self) -> None:
        from tokwatch.dashboard.taking_away import save_picture

        save_picture(self)

    def action_export(self) -> None:
        from tokwatch.dashboard.exporting import export

        export(self)

    def action_help(self) -> None:
        from tokwatch.dashboard.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen())

    def action_next_theme(self) -> None:
        self.theme = LIGHT_THEME.name if self.current_theme.dark else DARK_THEME.name

    def _take_theme(self, theme: Theme) -> None:
        self.look = Look(palette_of(theme), self.look.ascii_only)

    def action_demo(self) -> None:
        """Ends with the result "demo"; the command line starts it."""
        self.exit("demo")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every key's action, jumps to each kind of mark, then Textual's own."""
        for binding in SHARED:
            yield SystemCommand(
                binding.description,
                f"key {binding.key}",
                functools.partial(self.call_later, self.run_action, binding.action),
            )
        for kind, forward, title in self.jumps():
            yield SystemCommand(title, f"key m, then {KEY_OF_KIND[kind]}", functools.partial(self.jump, kind, forward))
        yield SystemCommand("Demo", "Leave and start the demo", self.action_demo)
        yield from super().get_system_commands(screen)
