"""Filter line: where a filter is typed, with its effect on the list while it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tokwatch.dashboard.arrange.filter import GPUS
from tokwatch.dashboard.arrange.language import EVERYTHING, Filter, FilterError, Language
from tokwatch.dashboard.screens.panel import Panel

_HINT = "llama  3  idle  state:parked  gpu:0-3  power>500  idle$>1  for>1h  -not"


class FilterLine(Panel[None]):
    """Tells `take` every filter that the text comes to be; one that cannot be read yet leaves the list as it is.

    `take` says how many rows are left. None while a name is being typed is no answer: pow is on its way to power>500.
    """

    KEYS = (("⏎", "keep"), ("esc", "show all"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Show all again", id="filter.clear")]

    def __init__(
        self,
        text: str,
        take: Callable[[Filter], int],
        *,
        language: Language[Any, Any] = GPUS,
        hint: str = _HINT,
        note: str = "GPUs",
    ) -> None:
        """language: what can be asked, of the GPUs unless told. note: what is filtered."""
        super().__init__("FILTER", hint, note=note)
        self._language = language
        self._text = text
        self._take = take
        self._shown_now = EVERYTHING

    def body(self) -> ComposeResult:
        yield Input(self._text, compact=True, select_on_focus=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._try(event.value, typing=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self._try(event.value, typing=False):
            self.dismiss()

    def _try(self, text: str, *, typing: bool) -> bool:
        try:
            found, problem = self._language.parse(text), ""
        except FilterError as error:
            found, problem = None, str(error)
        self.refuse(problem)
        if found is not None:
            if not self._take(found) and typing and self._language.may_become_a_name(text):
                self._take(self._shown_now)
            else:
                self._shown_now = found
        return found is not None

    def action_clear(self) -> None:
        self._take(EVERYTHING)
        self.dismiss()
