"""Filter line: where a filter is typed, with its effect on the list while it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tokwatch.dashboard.arrange.filter import EVERYTHING, Filter, FilterError, may_become_a_name, parse
from tokwatch.dashboard.cells import plain

_HINT = "llama  3  idle  state:parked  gpu:0-3  power>500  idle$>1  for>1h  -not"


class FilterLine(ModalScreen[None]):
    """Tells `take` every filter that the text comes to be; one that cannot be read yet leaves the list as it is.

    `take` says how many GPUs are left. None while a name is being typed is no answer: pow is on its way to power>500.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Show all again", id="filter.clear")]
    DEFAULT_CSS = """
    FilterLine { align: center bottom; background: transparent; }
    FilterLine > Vertical { width: 100%; height: 2; background: $surface; }
    FilterLine Horizontal { height: 1; background: $panel; }
    FilterLine #sign { width: 3; padding: 0 1; color: $primary; text-style: bold; }
    FilterLine Input { border: none; height: 1; padding: 0; width: 1fr; background: $panel; }
    FilterLine #keys { width: auto; padding: 0 1; color: $text-muted; }
    FilterLine #hint { padding: 0 1; color: $text-muted; height: 1; }
    FilterLine #hint.error { color: $error; }
    """

    def __init__(self, text: str, take: Callable[[Filter], int]) -> None:
        super().__init__()
        self._text = text
        self._take = take
        self._shown = EVERYTHING

    def compose(self) -> ComposeResult:
        with Vertical():
            with Horizontal():
                yield Static("/", id="sign", markup=False)
                yield Input(self._text, compact=True, select_on_focus=False)
                yield Static("enter keeps  esc clears", id="keys", markup=False)
            yield Static(_HINT, id="hint", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._try(event.value, typing=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self._try(event.value, typing=False):
            self.dismiss()

    def _try(self, text: str, *, typing: bool) -> bool:
        try:
            found, problem = parse(text), ""
        except FilterError as error:
            found, problem = None, str(error)
        hint = self.query_one("#hint", Static)
        hint.update(plain(problem) or _HINT)
        hint.set_class(bool(problem), "error")
        if found is not None:
            if not self._take(found) and typing and may_become_a_name(text):
                self._take(self._shown)
            else:
                self._shown = found
        return found is not None

    def action_clear(self) -> None:
        self._take(EVERYTHING)
        self.dismiss()
