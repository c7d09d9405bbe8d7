"""Columns: which columns the GPU list has, and in which order, over the list itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tokwatch.dashboard.arrange.fields import FIELDS, Field
from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.layout import DEFAULT_COLUMNS, GPU_COLUMNS, columns
from tokwatch.dashboard.theme import Ink, Look, style_of


class ColumnChooser(ModalScreen[None]):
    """Tells `take` every choice at once, so that the list below shows it; escape puts back what was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor(1)", "Next column", id="columns.down"),
        Binding("up,k", "cursor(-1)", "Column before", id="columns.up"),
        Binding("space,x", "switch", "Show it or not", id="columns.toggle"),
        Binding("shift+up,K", "move(-1)", "To the left", id="columns.left"),
        Binding("shift+down,J", "move(1)", "To the right", id="columns.right"),
        Binding("r", "usual", "The usual columns", id="columns.usual"),
        Binding("enter,C", "dismiss", "Done", id="columns.done"),
        Binding("escape", "back", "As it was", id="columns.back"),
    ]
    DEFAULT_CSS = """
    ColumnChooser { align: right bottom; background: transparent; }
    ColumnChooser > Vertical { width: 38; max-width: 100%; height: auto; background: $surface; padding: 0 1; }
    """

    def __init__(self, chosen: tuple[str, ...], take: Callable[[tuple[str, ...]], None], look: Look) -> None:
        super().__init__()
        self._was = chosen
        self._take = take
        self._look = look
        self._order = [*chosen, *(key for key in GPU_COLUMNS if key not in chosen)]
        self._on = set(chosen)
        self._cursor = 0

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns that are on, from left to right."""
        return tuple(key for key in self._order if key in self._on)

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(self._words(), markup=False)

    def _words(self) -> Text:
        shown = columns(self.app.size.width, self.chosen)
        words = Text("COLUMNS\n", self._style("text", bold=True))
        rows = max(3, self.app.size.height - 5)
        top = max(0, min(self._cursor - rows // 2, len(self._order) - rows))
        for at in range(top, min(top + rows, len(self._order))):
            key = self._order[at]
            words.append(self._line(FIELDS[key], at == self._cursor, no_room=key in self._on and key not in shown))
        words.append("space on/off  shift+up/down moves\nenter done  esc undo  r the usual", self._style("quiet"))
        return words

    def _line(self, field: Field, under_cursor: bool, *, no_room: bool) -> Text:
        on, ground = field.key in self._on, "selected" if under_cursor else "surface"
        told = "no room here" if no_room else field.about
        heading = to_ascii(field.heading) if self._look.ascii_only else field.heading
        return Text.assemble(
            (">" if under_cursor else " ", self._style("ui", ground)),
            ("[x] " if on else "[ ] ", self._style("ui" if on else "faint", ground)),
            (f"{heading:11}", self._style("text" if on else "quiet", ground)),
            (f"{told:20.20}\n", self._style("waste" if no_room else "quiet", ground)),
        )

    def _style(self, role: str, ground: str = "surface", *, bold: bool = False) -> Style:
        return style_of(self._look.palette, Ink(role, ground, bold))

    def _changed(self) -> None:
        self._take(self.chosen)
        self._draw()

    def _draw(self) -> None:
        self.query_one(Static).update(self._words())

    def on_resize(self) -> None:
        self._draw()

    def action_cursor(self, by: int) -> None:
        self._cursor = max(0, min(len(self._order) - 1, self._cursor + by))
        self._draw()

    def action_switch(self) -> None:
        self._on ^= {self._order[self._cursor]}
        self._changed()

    def action_move(self, by: int) -> None:
        to = self._cursor + by
        if 0 <= to < len(self._order):
            self._order.insert(to, self._order.pop(self._cursor))
            self._cursor = to
            self._changed()

    def action_usual(self) -> None:
        self._order, self._on = list(GPU_COLUMNS), set(DEFAULT_COLUMNS)
        self._changed()

    def action_back(self) -> None:
        self._take(self._was)
        self.dismiss()
