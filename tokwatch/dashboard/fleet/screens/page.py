"""A screen of the fleet that is one long page, read from top to bottom."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from tokwatch.dashboard.fleet.base import FleetScreenBase
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.screens.page import SCROLLING
from tokwatch.dashboard.widgets.document import Document


class FleetDocument(Document[FleetFrame]):
    """A page written from the frame."""


class FleetPageScreen(FleetScreenBase):
    """Subclasses make the document that is shown."""

    BINDINGS = [*SCROLLING]
    PAGE: ClassVar[type[FleetDocument]]

    def page(self) -> FleetDocument:
        """The document; made once."""
        return self.PAGE(self.fleet.look)

    def body(self) -> ComposeResult:
        yield self.page()

    def action_scroll(self, by: int) -> None:
        self.query_one(self.PAGE).scroll(by)
