"""A screen that is one long page, read from top to bottom."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.document import Document
from tokwatch.dashboard.widgets.footer import Footer, Keys
from tokwatch.dashboard.widgets.header import Header

SCROLLING = (
    Binding("down,j", "scroll(1)", "Down"),
    Binding("up,k", "scroll(-1)", "Up"),
    Binding("pagedown", "scroll(10)", "Ten lines down"),
    Binding("pageup", "scroll(-10)", "Ten lines up"),
    Binding("escape", "app.show_fleet", "Back to Fleet"),
)


class PageScreen(FrameScreen):
    """Subclasses name the Document that writes it, their tab and the keys to show."""

    BINDINGS: ClassVar[list[BindingType]] = [*SCROLLING]
    PAGE: ClassVar[type[Document]]
    TAB: ClassVar[str]
    KEYS: ClassVar[Keys]

    def compose(self) -> ComposeResult:
        look = self.tokwatch.look
        yield Header(look)
        yield self.PAGE(look)
        yield Footer(look, self.TAB, self.KEYS)

    def action_scroll(self, by: int) -> None:
        self.query_one(self.PAGE).scroll(by)
