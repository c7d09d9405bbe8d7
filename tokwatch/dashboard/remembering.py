"""Remembering: an app that keeps choices of its user for the next run."""

from __future__ import annotations

import asyncio
from typing import Any

from tokwatch.dashboard.appearance import Appearance, Preferences
from tokwatch.dashboard.cells import plain
from tokwatch.dashboard.remembered import Memory
from tokwatch.dashboard.terminal import Terminal


class Remembering(Appearance):
    """An Appearance that begins with the theme of the last run."""

    def __init__(self, *, terminal: Terminal, preferences: Preferences, memory: Memory | None) -> None:
        """Without a memory nothing is kept."""
        self.memory = memory or Memory()
        super().__init__(terminal=terminal, preferences=preferences, remembered=self.memory.recall().theme)

    def on_mount(self) -> None:
        self._say_of_memory()

    def show_theme(self, name: str) -> None:
        super().show_theme(name)
        self.remember(theme=name)

    def remember(self, **changes: Any) -> None:
        """Keeps a choice for the next run (fields of Remembered), and says once where that cannot be."""
        self.memory.change(**changes)
        self.run_worker(self._write_memory(), group="memory")

    async def _write_memory(self) -> None:
        await asyncio.to_thread(self.memory.write)
        self._say_of_memory()

    def _say_of_memory(self) -> None:
        if problem := self.memory.take_problem():
            self.notify(plain(problem), severity="warning", markup=False)
