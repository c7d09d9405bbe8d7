"""The screen under all others: shows the app's Frames on its Canvases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp


class FrameScreen(Screen[None]):
    """Takes every Frame while it is in the stack, also under a prompt; catches up when it comes back."""

    AUTO_FOCUS = None

    @property
    def tokwatch(self) -> TokwatchApp:
        """The app, by its own type."""
        return cast("TokwatchApp", self.app)

    _canvases: tuple[Canvas, ...] | None = None

    @property
    def canvases(self) -> Iterable[Canvas]:
        """Every canvas. They stay the same, and walking the tree for them at each frame took a fifth of its time."""
        return self.query(Canvas) if self._canvases is None else self._canvases

    def _know_canvases(self) -> None:
        self._canvases = tuple(self.query(Canvas))

    def on_mount(self) -> None:
        self.call_after_refresh(self._know_canvases)  # by then the nested ones are there too
        self.watch(self.app, "frame", self._take)
        self.watch(self.app, "look", self._restyle, init=False)

    def on_screen_resume(self) -> None:
        self._restyle(self.tokwatch.look)
        self.show(self.tokwatch.frame)

    def show(self, frame: Frame) -> None:
        """Draws the frame."""
        for canvas in self.canvases:
            canvas.show(frame)

    def _take(self, frame: Frame) -> None:
        if self in self.app.screen_stack:
            self.show(frame)

    def _restyle(self, look: Look) -> None:
        for canvas in self.canvases:
            canvas.set_look(look)
