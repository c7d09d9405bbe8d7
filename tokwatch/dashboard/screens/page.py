"""A screen that is one long page, read from top to bottom."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.document import Document

SCROLLING = (
    Binding("down,j", "scroll(1)", "Down"),
    Binding("up,k", "scroll(-1)", "Up"),
    Binding("pagedown", "scroll(10)", "Ten lines down"),
    Binding("pageup", "scroll(-10)", "Ten lines up"),
    Binding("escape", "app.leave", "Back"),
)


class PageScreen(FrameScreen):
    """Subclasses name the Document that writes it."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]
    PAGE: ClassVar[type[Document]]

    def body(self) -> ComposeResult:
        yield self.PAGE(self.tokwatch.look)

    def action_scroll(self, by: int) -> None:
        self.query_one(self.PAGE).scroll(by)
