"""Export: which file to make of what is on screen, over the screen that asked."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tokwatch.dashboard.cells import Line, plain
from tokwatch.dashboard.exporting import Taking
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas

_KEY, _TITLE = 2, 5  # columns


class Takings(Canvas):
    """One row each, the chosen one marked."""

    def __init__(self, look: Look, takings: tuple[Taking, ...]) -> None:
        super().__init__(look)
        self.takings = takings
        self.chosen = 0
        self.styles.height = len(takings)

    def draw(self, rows: range) -> list[Line]:
        return [self._draw_row(number) for number in rows if number < len(self.takings)]

    def _draw_row(self, number: int) -> Line:
        taking = self.takings[number]
        line = Line(self.size.width, self.look, ground="selected" if number == self.chosen else "surface")
        if number == self.chosen:
            line.put(0, "▌", "ui")
        line.put(_KEY, taking.key, "ui", bold=True)
        line.put(_TITLE, taking.title, "text")
        return line


class ExportPrompt(ModalScreen[Taking | None]):
    """Ends with what was chosen, or None on escape."""

    BINDINGS = [
        Binding("enter", "take", "Make the chosen file"),
        Binding("down,j", "move(1)", "Next"),
        Binding("up,k", "move(-1)", "Previous"),
        Binding("escape,q", "dismiss", "Cancel"),
    ]
    DEFAULT_CSS = """
    ExportPrompt { align: center middle; }
    ExportPrompt > Vertical { width: 68; max-width: 100%; height: auto; background: $surface; padding: 1 2; }
    ExportPrompt .title { text-style: bold; margin-bottom: 1; }
    ExportPrompt .quiet { color: $text-muted; margin-top: 1; }
    """

    def __init__(self, takings: tuple[Taking, ...], folder: Path) -> None:
        super().__init__()
        self._takings = takings
        self._folder = folder

    def compose(self) -> ComposeResult:
        from tokwatch.dashboard.app import TokwatchApp

        assert isinstance(self.app, TokwatchApp)
        with Vertical():
            yield Static("Export", classes="title", markup=False)
            yield Takings(self.app.look, self._takings)
            yield Static(f"into {plain(str(self._folder))}; esc cancels", classes="quiet", markup=False)

    def on_mount(self) -> None:
        for number, taking in enumerate(self._takings):
            self._bindings.bind(taking.key, f"choose({number})", taking.title)
        self.call_after_refresh(self.query_one(Takings).redraw)

    def action_move(self, by: int) -> None:
        rows = self.query_one(Takings)
        rows.chosen = max(0, min(len(self._takings) - 1, rows.chosen + by))
        rows.redraw()

    def action_choose(self, number: int) -> None:
        self.dismiss(self._takings[number])

    def action_take(self) -> None:
        self.dismiss(self._takings[self.query_one(Takings).chosen])
