"""Panel: what is asked at the foot of the screen that asked; everything else stays as it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tokwatch.dashboard.cells import Line, plain
from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.screens.overlay import Overlay
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.footer import Keys, put_keys

if TYPE_CHECKING:
    from tokwatch.dashboard.appearance import Appearance

Result = TypeVar("Result")


class Panel(Overlay[Result | None], Generic[Result]):
    """As wide as the screen: a heading with its keys, what `body` yields, and a hint whose place an error takes.

    Nothing is dimmed: that would send the whole screen twice, and hide the effect of what is being chosen.
    """

    KEYS: ClassVar[Keys] = (("⏎", "done"), ("esc", "cancel"))
    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = """
    Panel { align: center bottom; background: transparent; }
    Panel > Vertical { width: 100%; height: auto; max-height: 100%; background: $surface; }
    Panel #hint { width: 100%; height: auto; padding: 0 1; color: $text-muted; }
    Panel #hint.error { color: $error; }
    Panel Input { border: none; height: 1; padding: 0 1; margin: 0 1; background: $panel; }
    """

    def __init__(self, title: str, hint: str, *, note: str = "") -> None:
        """title: in capitals, as of every section. note: what it is about, quiet behind the title."""
        super().__init__()
        self._title, self._note, self._hint = title, note, hint

    @property
    def look(self) -> Look:
        return cast("Appearance", self.app).look

    def compose(self) -> ComposeResult:
        with Vertical():
            yield _Heading(self.look, self._title, self._note, self.KEYS)
            yield from self.body()
            yield Static(self._shown(self._hint), id="hint", markup=False)

    def body(self) -> ComposeResult:
        """Between the heading and the hint."""
        raise NotImplementedError

    def refuse(self, why: str) -> None:
        """Says why something cannot be taken; without a reason the hint comes back."""
        hint = self.query_one("#hint", Static)
        hint.update(self._shown(why or self._hint))
        hint.set_class(bool(why), "error")

    def _shown(self, text: str) -> str:
        text = plain(text)  # hints name currencies, which are data
        return to_ascii(text) if self.look.ascii_only else text


class _Heading(Canvas):
    def __init__(self, look: Look, title: str, note: str, keys: Keys) -> None:
        super().__init__(look)
        self._title, self._note, self._keys = title, note, keys

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look, ground="surface")
        end = line.put(MARGIN, self._title, bold=True)
        first = put_keys(line, self._keys, line.width - MARGIN - end - 2, self.look)
        line.put(end + 2, self._note, "quiet", width=max(0, first - 2 - end - 2))
        return [line]
