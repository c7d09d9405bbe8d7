"""Prompt: one line of input, read by a parser whose errors it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tokwatch.dashboard.screens.panel import Panel

Parsed = TypeVar("Parsed")


class Prompt(Panel[Parsed], Generic[Parsed]):
    """Ends with what `read` makes of the input, or None on escape. `read` raises ValueError with a sentence.

    Title, hint and sentence may hold data, such as the name of a currency.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, title: str, hint: str, read: Callable[[str], Parsed], *, note: str = "") -> None:
        super().__init__(title, hint, note=note)
        self._read = read

    def body(self) -> ComposeResult:
        yield Input(compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            parsed = self._read(event.value)
        except ValueError as error:
            self.refuse(str(error))
            return
        self.dismiss(parsed)
