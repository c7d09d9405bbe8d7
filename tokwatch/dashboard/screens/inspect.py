"""Inspect: the whole page about one figure, which goes on with the moment on screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tokwatch.dashboard.explaining import tell
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.screens.page import SCROLLING, PageScreen
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.ledger.explain.provenance import Provenance
from tokwatch.ledger.figure_path import FigurePath

_TEXT = 14  # column


class InspectPage(Document):
    """The text of the screen."""

    past: Provenance | None = None

    def __init__(self, look: Look, path: FigurePath) -> None:
        super().__init__(look)
        self._path = path

    def take(self, past: Provenance) -> None:
        """What the store says of it."""
        self.past = past
        self.rewrite()

    def as_text(self) -> str:
        """All of it, as it reads."""
        return "\n".join(line.text().rstrip() for line in self._written())

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            return
        width = 4 * (self.size.width - _TEXT - MARGIN - 1)
        told = tell(snapshot, self._path, self.past, age_s=self.frame.age_s, width=width, whole=True)
        page.heading(told.title)
        page.line().put(MARGIN + 1, told.value, "bright", bold=True)
        page.line()
        for fact in told.facts:
            line = page.line()
            line.put(MARGIN + 1, fact.label, "quiet", width=_TEXT - MARGIN - 2)
            indent = len(fact.text) - len(fact.text.lstrip())
            page.beside(line, _TEXT + indent, fact.text, fact.role)
        if told.badges:
            page.heading("WHAT IT RESTS ON")
            for badge in told.badges:
                line = page.line()
                line.put(MARGIN + 1, badge.word, "alarm" if badge.shouts else "ui", bold=badge.shouts)
                page.beside(line, _TEXT + 4, badge.means)


class InspectScreen(PageScreen):
    """Over the screen that the figure stands on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "app.leave", "Back to pointing"),
        Binding("y", "copy", "Copy the explanation"),
        *SCROLLING,
    ]
    PAGE, KEYS = InspectPage, (("esc", "back"), ("↑↓", "scroll"), ("y", "copy"), ("space", "pause"))
    DRILLED = True
    _asked_ms: int | None = None
    _waiting = False  # for an answer: at live the next question comes after it

    def __init__(self, path: FigurePath) -> None:
        super().__init__()
        self._path = path

    def body(self) -> ComposeResult:
        yield InspectPage(self.tokwatch.look, self._path)

    def show(self, frame: Frame) -> None:
        super().show(frame)
        moment_ms = frame.snapshot.tick_ms if frame.snapshot is not None and not frame.kept else None
        if moment_ms is None or (self._waiting and frame.live) or moment_ms == self._asked_ms:
            return
        self._asked_ms, self._waiting = moment_ms, True
        self.ask(Explanation(self._path, moment_ms), self._told)

    def _told(self, past: Provenance) -> None:
        self._waiting = False
        self.query_one(InspectPage).take(past)

    def action_copy(self) -> None:
        from tokwatch.dashboard.taking_away import copy_text

        page = self.query_one(InspectPage)
        copy_text(self.tokwatch, page.as_text(), "the explanation")
