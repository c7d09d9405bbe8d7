"""The screen under all of the fleet's: header, body, notices, time and keys; shows the app's FleetFrames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Resize
from textual.screen import Screen
from textual.widget import Widget

from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.widgets.bottom import MOST_NOTICES, FleetFooter, FleetTransport, Notices, notices
from tokwatch.dashboard.fleet.widgets.header import FleetHeader
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.footer import Keys

if TYPE_CHECKING:
    from tokwatch.dashboard.fleet.app import FleetApp


class FleetScreenBase(Screen[None]):
    """Takes every frame while it is in the stack; subclasses yield their Canvases in `body`."""

    AUTO_FOCUS = None
    TAB: ClassVar[str] = ""  # its name in the footer
    KEYS: ClassVar[Keys] = ()
    TABLE_ENDING: ClassVar[str] = "txt"  # of a file that holds its table
    DRILLED: ClassVar[bool] = False  # under a tab's screen, so that its key leads back there
    DEFAULT_CSS = """
    FleetScreenBase > #bottom { dock: bottom; height: 1; }
    """
    _canvases: tuple[Canvas[FleetFrame], ...] | None = None
    _bottom: tuple[int, int] | None = None

    @property
    def fleet(self) -> FleetApp:
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def body(self) -> ComposeResult:
        """What stands between the header and the bottom rows."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        look = self.fleet.look
        yield FleetHeader(look)
        yield from self.body()
        with Vertical(id="bottom"):
            yield Notices(look)
            yield FleetTransport(look)
            yield FleetFooter(look, self.TAB, self.KEYS)

    @property
    def canvases(self) -> Iterable[Canvas[FleetFrame]]:
        return self.query(Canvas) if self._canvases is None else self._canvases

    @property
    def bottom_rows(self) -> int:
        """Rows of notices, time and keys below the body."""
        return 1 + sum(self._bottom or ())

    def table(self) -> str:
        """What is copied of it: the text between the header and the bottom, all of what can be scrolled to."""
        others = {self.query_one(FleetHeader), self.query_one("#bottom")}
        lines = [
            line.text().rstrip()
            for canvas in self.canvases
            if canvas.display and not others.intersection(canvas.ancestors)
            for line in canvas.draw(range(canvas.rows()))
        ]
        return "\n".join(lines).strip("\n") + "\n"

    def on_mount(self) -> None:
        self.call_after_refresh(self._know_canvases)  # by then the nested ones are there too
        self.watch(self.app, "frame", self._take)
        self.watch(self.app, "look", self._restyle, init=False)

    def _know_canvases(self) -> None:
        self._canvases = tuple(self.query(Canvas))

    def on_screen_resume(self) -> None:
        self._restyle(self.fleet.look)
        self.show(self.fleet.frame)

    def on_resize(self, event: Resize) -> None:
        self.lay_out(self.fleet.frame, event.size.width, event.size.height)

    def show(self, frame: FleetFrame) -> None:
        """Draws the frame."""
        self.lay_out(frame, self.size.width, self.size.height)
        for canvas in self.canvases:
            canvas.show(frame)

    def lay_out(self, frame: FleetFrame, width: int, height: int) -> None:
        """Gives every part its rows. Subclasses arrange their body too; called with every frame, so be quick."""
        wanted = min(MOST_NOTICES, len(notices(frame.snapshot)), max(0, height - 12)), 0 if frame.live else 1
        if wanted == self._bottom or not self.query("#bottom"):
            return
        self._bottom = wanted
        set_rows(self.query_one(Notices), wanted[0])
        set_rows(self.query_one(FleetTransport), wanted[1])
        self.query_one("#bottom").styles.height = 1 + sum(wanted)

    def _take(self, frame: FleetFrame) -> None:
        if self in self.app.screen_stack:  # its parts go one by one, while messages still come
            self.show(frame)

    def _restyle(self, look: Look) -> None:
        for canvas in self.canvases:
            canvas.set_look(look)


def set_rows(widget: Widget, rows: int, gap: int = 0) -> None:
    """Gives a part so many rows, and blank ones above; 0 hides it."""
    widget.display = rows > 0
    widget.styles.height = rows
    widget.styles.margin = (gap, 0, 0, 0)
