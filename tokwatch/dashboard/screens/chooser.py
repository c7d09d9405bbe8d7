"""Chooser: one of several things, by its letter or with the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize

from tokwatch.dashboard.screens.panel import Panel
from tokwatch.dashboard.widgets.option_grid import Cell, OptionGrid, Piece

Chosen = TypeVar("Chosen")
_OTHER_ROWS = 2  # the heading and the hint


class Option(NamedTuple, Generic[Chosen]):
    """Something to choose."""

    letter: str
    value: Chosen  # what the chooser ends with
    text: str
    now: bool = False  # it is chosen already: the cursor begins there


class Chooser(Panel[Chosen], Generic[Chosen]):
    """Ends with the value of what was chosen, or None on escape."""

    KEYS = (("⏎", "choose"), ("esc", "cancel"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1, 0)", "The option below"),
        Binding("up", "move(-1, 0)", "The option above"),
        Binding("right", "move(0, 1)", "The option to the right"),
        Binding("left", "move(0, -1)", "The option to the left"),
        Binding("enter", "take", "Choose it"),
        Binding("escape", "dismiss", "Cancel"),
    ]

    def __init__(
        self,
        title: str,
        options: Sequence[Option[Chosen]],
        hint: str,
        *,
        note: str = "",
        unshown: Sequence[Option[Chosen]] = (),
    ) -> None:
        """unshown: options that only their letter chooses."""
        super().__init__(title, hint, note=note)
        self._options, self._all = tuple(options), (*options, *unshown)
        for number, option in enumerate(self._all):
            self._bindings.bind(option.letter, f"choose({number})", option.text)

    def body(self) -> ComposeResult:
        cursor = next((number for number, option in enumerate(self._options) if option.now), 0)
        yield OptionGrid(self.look, [_cell(option) for option in self._options], cursor)

    def on_resize(self, event: Resize) -> None:
        self.query_one(OptionGrid).fit(event.size, _OTHER_ROWS)

    def action_move(self, rows: int, columns: int) -> None:
        self.query_one(OptionGrid).move(rows, columns)

    def action_choose(self, number: int) -> None:
        self.dismiss(self._all[number].value)

    def action_take(self) -> None:
        self.action_choose(self.query_one(OptionGrid).cursor)


def _cell(option: Option[Chosen]) -> Cell:
    return Piece(option.letter, "ui", bold=True), Piece(option.text, "bright" if option.now else "text")
