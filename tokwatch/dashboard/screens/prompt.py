"""Prompt: one line of input over the screen that asked, read by a parser whose errors it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

Parsed = TypeVar("Parsed")


class Prompt(ModalScreen[Parsed | None], Generic[Parsed]):
    """Ends with what `read` makes of the input, or None on escape. `read` raises ValueError with a sentence."""

    BINDINGS = [Binding("escape", "cancel", "Cancel")]
    DEFAULT_CSS = """
    Prompt { align: center middle; }
    Prompt > Vertical { width: 64; max-width: 100%; height: auto; background: $surface; padding: 1 2; }
    Prompt Input { border: none; height: 1; padding: 0 1; margin: 1 0; background: $panel; }
    Prompt .title { text-style: bold; }
    Prompt #hint { color: $text-muted; height: auto; }
    Prompt #hint.error { color: $error; }
    """

    def __init__(self, title: str, hint: str, read: Callable[[str], Parsed]) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._read = read

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._title, classes="title", markup=False)
            yield Input(compact=True)
            yield Static(self._hint, id="hint", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            parsed = self._read(event.value)
        except ValueError as error:
            hint = self.query_one("#hint", Static)
            hint.update(str(error))
            hint.add_class("error")
            return
        self.dismiss(parsed)

    def action_cancel(self) -> None:
        self.dismiss(None)
