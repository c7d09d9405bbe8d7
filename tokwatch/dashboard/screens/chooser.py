"""Chooser: one of several things by its letter, in a line above the footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Static

from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.theme import Ink, Look, style_of


class Option(NamedTuple):
    """Something to choose."""

    letter: str
    key: str  # what the chooser ends with
    text: str
    now: bool = False  # it is chosen already


class Chooser(ModalScreen[str | None]):
    """Ends with the key of what was chosen, or None on escape. What is below stays as it looks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "As it was")]
    DEFAULT_CSS = """
    Chooser { align: center bottom; background: transparent; }
    Chooser > Vertical { width: 100%; height: auto; background: $surface; padding: 0 1; }
    """

    def __init__(self, title: str, options: Sequence[Option], hint: str, look: Look) -> None:
        super().__init__()
        self._title, self._options, self._hint, self._look = title, tuple(options), hint, look
        for option in self._options:
            self._bindings.bind(option.letter, f"choose('{option.key}')", option.text)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(id="options", markup=False)
            yield Static(Text(self._hint, self._style("quiet")), markup=False)

    def on_resize(self, event: Resize) -> None:
        self.query_one("#options", Static).update(self.words(event.size.width - 2))

    def words(self, width: int) -> Text:
        """Title and options in rows of `width`, never broken between a letter and its text."""
        words = Text(self._title, self._style("text", bold=True))
        x = len(self._title)
        for option in self._options:
            text = to_ascii(option.text) if self._look.ascii_only else option.text
            cells = len(option.letter) + 1 + len(text)
            x, gap = (cells, "\n") if x + 2 + cells > width else (x + 2 + cells, "  ")
            words.append(gap)
            words.append(option.letter, self._style("ui", bold=True))
            words.append(f" {text}", self._style("ui" if option.now else "quiet"))
        return words

    def _style(self, role: str, *, bold: bool = False) -> Style:
        return style_of(self._look.palette, Ink(role, "surface", bold))

    def action_choose(self, key: str) -> None:
        self.dismiss(key)
