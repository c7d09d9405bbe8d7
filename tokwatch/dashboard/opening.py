"""Opening: the actions that open screens and tools. All of them are loaded once the first frame stands."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from textual.app import SystemCommand
from textual.reactive import var
from textual.screen import Screen

from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.registry import TABS, screen_class
from tokwatch.dashboard.time_travel import TimeTravel

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.long_work import LongWork, Work

_LOADED_AFTER_S = 5.0  # then the first figures stand, and the windows are warm


class Opening(TimeTravel):
    """An app that moves in time, with everything that can be opened over it."""

    work: var[Work | None] = var(None, init=False)  # what takes long and is under way
    long_work: LongWork | None = None

    @property
    def _whole(self) -> TokwatchApp:
        return cast("TokwatchApp", self)

    def load_the_rest(self) -> None:
        """Loads every screen in a thread: an upgrade of the files must not end a dashboard that stays open."""
        if not self.is_headless:
            self.set_timer(_LOADED_AFTER_S, lambda: self.run_worker(asyncio.to_thread(_import_everything), name="load"))

    # Screens

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

    def action_help(self) -> None:
        from tokwatch.dashboard.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_command_palette(self) -> None:
        from tokwatch.dashboard.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        from tokwatch.dashboard.palette import commands

        return commands(self._whole, screen)

    # Tools

    def action_inspect(self) -> None:
        from tokwatch.dashboard.inspecting import inspect

        inspect(self._whole)

    def action_copy_table(self) -> None:
        from tokwatch.dashboard.taking_away import copy_table

        copy_table(self._whole)

    def action_save_picture(self) -> None:
        from tokwatch.dashboard.taking_away import save_picture

        save_picture(self._whole)

    def action_export(self) -> None:
        from tokwatch.dashboard.exporting import export

        export(self._whole)

    def show_work(self, work: Work | None) -> None:
        """How far it has come; None: nothing is under way."""
        self.work = work

    def action_cancel_work(self) -> None:
        if self.long_work is not None:
            self.long_work.cancel()

    def action_demo(self) -> None:
        """Ends with the result "demo"; the command line starts it."""
        self.exit("demo")


def _import_everything() -> None:
    from tokwatch import dashboard

    for module in pkgutil.walk_packages(dashboard.__path__, f"{dashboard.__name__}."):
        importlib.import_module(module.name)
