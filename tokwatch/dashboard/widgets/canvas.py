"""Canvas: the widget under all others. Draws Lines and repaints only the cells that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, cast

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.theme import Look

if TYPE_CHECKING:  # Python's own has defaults from 3.13 on
    from typing_extensions import TypeVar

    Shown = TypeVar("Shown", default=Frame)
else:
    from typing import TypeVar

    Shown = TypeVar("Shown")


class Canvas(ScrollView, Generic[Shown], can_focus=False):
    """A block of Lines over a Frame, a box's or a fleet's.

    Subclasses say how many rows there are and draw those that are asked for.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Canvas { overflow: hidden hidden; height: 1; background: $background; }
    """

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = look
        self.frame = cast("Shown", Frame())  # nothing is measured yet, whatever it will be
        self._drawn: list[Line] = []
        self._drawn_at: tuple[int, Size] | None = None  # first row and size of what _drawn holds
        self._size_now: Size | None = None  # while it is being redrawn

    @property
    def size(self) -> Size:
        """As Textual tells it, but looked up once a redraw.

        It searches the screen's map for the widget each time; a frame asked 150 times, a quarter of its drawing.
        """
        return super().size if self._size_now is None else self._size_now

    def rows(self) -> int:
        """How many rows there are in all; more than the height can be scrolled to."""
        return self.size.height

    def draw(self, rows: range) -> list[Line]:
        """The Lines of `rows`, each as wide as the widget."""
        raise NotImplementedError

    def show(self, frame: Shown) -> None:
        """Takes the next Frame and repaints what is different."""
        self.frame = frame
        self.redraw()

    def set_look(self, look: Look) -> None:
        """Takes another theme."""
        if look != self.look:
            self.look = look
            self._drawn_at = None
            self.refresh()

    def drawn(self) -> list[Line]:
        """The Lines on screen, with the Spots of their figures; the first stands at the widget's top."""
        return self._drawn

    def redraw(self) -> None:
        """Draws the visible rows and refreshes the stretches that differ from what is on screen."""
        self._size_now = self.size
        try:
            self._redraw()
        finally:
            self._size_now = None

    def _redraw(self) -> None:
        if not self.size or not self.is_attached:
            self._drawn_at = None  # what it showed before it was hidden is of another frame
            return
        self._fit_virtual_size()
        before, before_at = self._drawn, self._drawn_at
        self._draw_visible()
        if before_at != self._drawn_at or len(before) != len(self._drawn):
            self.refresh()
            return
        changed = [
            Region(first, y, end - first, 1)
            for y, (new, old) in enumerate(zip(self._drawn, before, strict=True))
            for first, end in new.changed(old)
        ]
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        if self._drawn_at != (self.scroll_offset.y, self.size):
            self._draw_visible()
        if y < len(self._drawn):
            return self._drawn[y].strip()
        return Line(self.size.width, self.look).strip()

    def on_resize(self) -> None:
        self._fit_virtual_size()

    def _fit_virtual_size(self) -> None:
        size = Size(self.size.width, self.rows())
        if size == self.virtual_size:
            return
        if self.styles.overflow_y == "hidden" or max(size.height, self.virtual_size.height) <= self.size.height:
            # No scroll bar comes or goes by it; to lay out for it would repaint the whole screen.
            self.set_reactive(Canvas.virtual_size, size)
        else:
            self.virtual_size = size

    def _draw_visible(self) -> None:
        top = self.scroll_offset.y
        self._drawn = self.draw(range(top, min(top + self.size.height, max(self.rows(), 0))))
        self._drawn_at = (top, self.size)
