"""The screen under all others: header, body, and the row of time and keys; shows the app's Frames on its Canvases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.events import MouseDown, Resize
from textual.screen import Screen

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import TIME_STRIP_FROM
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.footer import Footer, Keys
from tokwatch.dashboard.widgets.header import Header
from tokwatch.dashboard.widgets.time_strip import TimeStrip
from tokwatch.dashboard.widgets.transport import Transport
from tokwatch.dashboard.widgets.work_line import WorkLine

if TYPE_CHECKING:
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.long_work import Work
    from tokwatch.feeds.question import Question

Answer = TypeVar("Answer")


class FrameScreen(Screen[None]):
    """Takes every Frame while it is in the stack, also under a prompt; catches up when it comes back.

    Subclasses yield their Canvases in `body` and name their tab and keys.
    """

    AUTO_FOCUS = None
    TAB: ClassVar[str] = ""  # its name in the footer
    KEYS: ClassVar[Keys] = ()
    DRILLED: ClassVar[bool] = False  # under a tab's screen, so that its key leads back there
    PAST_KEYS: ClassVar[Keys | None] = None  # those to show while the past is looked at, where they are others
    OWN_TIME_FROM: ClassVar[int | None] = None  # rows from which its body has what the time strip shows
    DEFAULT_CSS = """
    FrameScreen > #bottom { dock: bottom; height: 1; }
    """

    @property
    def tokwatch(self) -> TokwatchApp:
        """The app, by its own type."""
        return cast("TokwatchApp", self.app)

    @property
    def was_left(self) -> bool:
        """Nothing may be drawn on it then: its parts go one by one, while messages still come."""
        return self not in self.app.screen_stack

    def body(self) -> ComposeResult:
        """What stands between the header and the bottom rows."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        look = self.tokwatch.look
        yield Header(look)
        yield from self.body()
        with Vertical(id="bottom"):
            yield TimeStrip(look)
            yield Transport(look)
            yield WorkLine(look)
            yield Footer(look, self.TAB, self.KEYS, self.PAST_KEYS)

    # Frames

    _canvases: tuple[Canvas, ...] | None = None
    _bottom_rows: tuple[int, int, int] | None = None

    @property
    def bottom_rows(self) -> int:
        """Rows of time and keys below the body."""
        return 1 + sum(self._bottom_rows or ())

    @property
    def canvases(self) -> Iterable[Canvas]:
        """Every canvas. They stay the same, and walking the tree for them at each frame took a fifth of its time."""
        return self.query(Canvas) if self._canvases is None else self._canvases

    def know_canvases(self) -> None:
        """Looks for them again; call it after one was mounted or removed."""
        self._canvases = tuple(self.query(Canvas))

    def on_mount(self) -> None:
        self.call_after_refresh(self.know_canvases)  # by then the nested ones are there too
        self.watch(self.app, "frame", self._take)
        self.watch(self.app, "look", self._restyle, init=False)
        self.watch(self.app, "work", self._take_work)

    def on_screen_resume(self) -> None:
        self._restyle(self.tokwatch.look)
        self.show(self.tokwatch.frame)

    def on_resize(self, event: Resize) -> None:
        self.lay_out(self.tokwatch.frame, event.size.width, event.size.height)

    def show(self, frame: Frame) -> None:
        """Draws the frame."""
        self.lay_out(frame, self.size.width, self.size.height)
        for canvas in self.canvases:
            canvas.show(frame)

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        """Gives every part its rows. Subclasses arrange their body too; called with every frame, so be quick."""
        transport = 0 if frame.live else 1
        own = self.OWN_TIME_FROM is not None and height >= self.OWN_TIME_FROM
        strip = transport if height >= TIME_STRIP_FROM and not own else 0
        work = 0 if self.tokwatch.work is None else 1
        if (transport, strip, work) == self._bottom_rows:
            return
        try:
            bottom = self.query_one("#bottom")
        except NoMatches:  # a screen over others, without a row of time
            return
        self._bottom_rows = (transport, strip, work)
        self.query_one(Transport).under_strip = own or strip > 0
        self.query_one(TimeStrip).display = strip > 0
        self.query_one(Transport).display = transport > 0
        self.query_one(WorkLine).display = work > 0
        bottom.styles.height = 1 + transport + strip + work

    def _take(self, frame: Frame) -> None:
        if not self.was_left:
            self.show(frame)

    def _restyle(self, look: Look) -> None:
        for canvas in self.canvases:
            canvas.set_look(look)

    def _take_work(self, work: Work | None) -> None:
        if not self.was_left:
            self.lay_out(self.tokwatch.frame, self.size.width, self.size.height)
            for line in self.query(WorkLine):
                line.take(work)

    # The mouse

    pressed: Callable[[int, int], None] | None = None  # takes column and row of a press, while figures are pointed at

    def on_mouse_down(self, event: MouseDown) -> None:
        if self.pressed is not None:
            self.pressed(event.screen_x, event.screen_y)

    # The past

    def ask(self, question: Question[Answer], take: Callable[[Answer], None], *, group: str = "ask") -> None:
        """Asks the stored past and takes the answer when it is there; a later question of the group replaces it."""
        self.run_worker(self._ask(question, take), group=group, exclusive=True)

    async def _ask(self, question: Question[Answer], take: Callable[[Answer], None]) -> None:
        answer = await self.tokwatch.ask(question)
        if answer is not None and not self.was_left:
            take(answer)
