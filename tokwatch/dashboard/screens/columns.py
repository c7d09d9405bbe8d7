"""Columns: which columns a list has, and in which order, with the list itself in sight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize

from tokwatch.dashboard.arrange.field import Field
from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.columns import Place
from tokwatch.dashboard.layout import DEFAULT_COLUMNS, GPU_COLUMNS, columns
from tokwatch.dashboard.screens.panel import Panel
from tokwatch.dashboard.widgets.option_grid import Cell, OptionGrid, Piece

_OTHER_ROWS = 2 + 4  # the heading and the hint; as much of the list as shows which columns it has
_HEADING, _ABOUT = 10, 19  # columns


class Choosable(NamedTuple):
    """The columns of a list."""

    fields: Mapping[str, Field[Any, Any]]
    every: tuple[str, ...]  # that can be chosen
    usual: tuple[str, ...]
    places: Callable[[int, tuple[str, ...]], Mapping[str, Place]]  # of those chosen, in a width


OF_GPUS: Final = Choosable(FIELDS, GPU_COLUMNS, DEFAULT_COLUMNS, columns)


class ColumnChooser(Panel[None]):
    """Tells `take` every choice at once, so that the list below shows it; escape puts back what was."""

    KEYS = (("⏎", "done"), ("esc", "as it was"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor(1, 0)", "Next column", id="columns.down"),
        Binding("up,k", "cursor(-1, 0)", "Column before", id="columns.up"),
        Binding("right,l", "cursor(0, 1)", "Beside it on the right", id="columns.beside_right"),
        Binding("left,h", "cursor(0, -1)", "Beside it on the left", id="columns.beside_left"),
        Binding("space,x", "switch", "Show it or not", id="columns.toggle"),
        Binding("shift+up,K", "move(-1)", "To the left", id="columns.left"),
        Binding("shift+down,J", "move(1)", "To the right", id="columns.right"),
        Binding("r", "usual", "The usual columns", id="columns.usual"),
        Binding("enter,C", "dismiss", "Done", id="columns.done"),
        Binding("escape", "back", "As it was", id="columns.back"),
    ]

    def __init__(
        self, chosen: tuple[str, ...], take: Callable[[tuple[str, ...]], None], of: Choosable = OF_GPUS
    ) -> None:
        super().__init__("COLUMNS", "space shows or hides, K and J move to the left and right, r the usual ones")
        self._was = chosen
        self._of = of
        self._take = take
        self._order = [*chosen, *(key for key in of.every if key not in chosen)]
        self._on = set(chosen)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns that are on, from left to right."""
        return tuple(key for key in self._order if key in self._on)

    @property
    def _grid(self) -> OptionGrid:
        return self.query_one(OptionGrid)

    def body(self) -> ComposeResult:
        yield OptionGrid(self.look, self._cells())

    def _cells(self) -> tuple[Cell, ...]:
        shown = self._of.places(self.app.size.width, self.chosen)
        return tuple(self._cell(key, no_room=key in self._on and key not in shown) for key in self._order)

    def _cell(self, key: str, *, no_room: bool) -> Cell:
        field, on = self._of.fields[key], key in self._on
        return (
            Piece("[x]" if on else "[ ]", "ui" if on else "faint"),
            Piece(field.heading, "text" if on else "quiet", width=_HEADING),
            Piece("no room here" if no_room else field.about, "waste" if no_room else "quiet", width=_ABOUT),
        )

    def _draw(self) -> None:
        self._grid.cells = self._cells()
        self._grid.redraw()

    def _changed(self) -> None:
        self._take(self.chosen)
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self._grid.fit(event.size, _OTHER_ROWS)
        self._draw()

    def action_cursor(self, rows: int, columns: int) -> None:
        self._grid.move(rows, columns)

    def action_switch(self) -> None:
        self._on ^= {self._order[self._grid.cursor]}
        self._changed()

    def action_move(self, by: int) -> None:
        at = self._grid.cursor
        if 0 <= at + by < len(self._order):
            self._order.insert(at + by, self._order.pop(at))
            self._grid.move(by)
            self._changed()

    def action_usual(self) -> None:
        self._order, self._on = list(self._of.every), set(self._of.usual)
        self._changed()

    def action_back(self) -> None:
        self._take(self._was)
        self.dismiss()
