"""Inspector: the panel that tells where the figure under the pointer comes from, and the keys that move the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import ClassVar, Final, NamedTuple, cast

from textual.binding import Binding, BindingType
from textual.geometry import Offset

from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.explaining import Fact, Told, tell
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.pointing import Direction, Target, at, following, found_again, neighbour, targets
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.footer import Footer, Keys
from tokwatch.dashboard.widgets.pointer import Pointer
from tokwatch.feeds.questions.explanation import Explanation
from tokwatch.ledger.explain.provenance import Provenance

KEYS: Final[Keys] = (
    ("esc", "end"),
    ("←↑↓→", "figure"),
    ("⏎", "all of it"),
    ("y", "copy"),
    ("tab", "next"),
    ("space n end", "time"),
)
_LABEL: Final = 11  # columns of the labels
_ROWS: Final = ((50, 14), (30, 12), (0, 10))  # of the panel, from how many rows of the terminal on
_REST: Final = 10  # an answer's time is waited this many times before it is asked again


class Place(NamedTuple):
    """The panel's first row, and how many it has."""

    y: int
    rows: int


class Inspector(Canvas, can_focus=True):
    """Stands at the bottom, or at the top while the figure is where it would stand: never over it.

    First the panel tells what the Snapshot holds. What the store holds comes a moment later, and anew with each tick
    for as long as asking takes little of the time.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "point('left')", "The figure to the left", id="inspect.left"),
        Binding("right,l", "point('right')", "The figure to the right", id="inspect.right"),
        Binding("up,k", "point('up')", "The figure above", id="inspect.up"),
        Binding("down,j", "point('down')", "The figure below", id="inspect.down"),
        Binding("tab", "next(1)", "The next figure", id="inspect.next"),
        Binding("shift+tab", "next(-1)", "The figure before", id="inspect.before"),
        Binding("enter,i", "open", "All that is known of it, on a page", id="inspect.open"),
        Binding("y", "copy", "Copy the figure", id="inspect.copy"),
        Binding("escape", "end", "End pointing", id="inspect.end"),
    ]
    DEFAULT_CSS = """
    Inspector { position: absolute; layer: inspecting; width: 100%; background: $surface; }
    """
    _place: Place | None = None
    _asked: tuple[Explanation, float] | None = None  # what, and when
    _took_s = 0.0
    past: Provenance | None = None  # the store's last answer about the figure

    def __init__(self, look: Look, target: Target, pointer: Pointer) -> None:
        super().__init__(look)
        self.target = target
        self._pointer = pointer

    # --- life -----------------------------------------------------------------------------------------------------

    @property
    def of_screen(self) -> FrameScreen:
        return cast("FrameScreen", self.screen)

    def on_mount(self) -> None:
        self.of_screen.pressed = self.press
        self._set_footer(KEYS)
        self.screen.screen_layout_refresh_signal.subscribe(self, lambda _: self._follow())

    def action_end(self) -> None:
        """Takes pointer and panel away."""
        screen = self.of_screen
        screen.pressed = None
        self._set_footer(None)
        self._pointer.remove()
        self.remove()
        screen.call_after_refresh(screen.know_canvases)

    def _set_footer(self, keys: Keys | None) -> None:
        for footer in self.screen.query(Footer):
            footer.instead = keys
            footer.redraw()

    # --- frames ---------------------------------------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        self.frame = frame
        above = self.app.screen
        if isinstance(above, FrameScreen) and above.TAB not in ("", self.of_screen.TAB):
            self.action_end()  # another tab was opened meanwhile
        else:
            self._follow()

    def _follow(self) -> None:
        """The same figure in what is on screen now."""
        found = found_again(self.target, self._targets())
        if found is not None:
            self._point(found)

    def _targets(self) -> list[Target]:
        return targets(each for each in self.of_screen.canvases if each is not self and each is not self._pointer)

    def _point(self, target: Target) -> None:
        if target.path != self.target.path:
            self.past = None
        self.target = target
        row = self._row_under(target)
        before, after = row.cut(target.x - 1, 1), row.cut(target.x + target.width, 1)
        self._pointer.point(target, before, after)
        self._stand_clear(target)
        self._ask()
        self.redraw()

    def _row_under(self, target: Target) -> Line:
        """What stands in its row, in columns of the screen."""
        row = Line(self.screen.size.width, self.look)
        for canvas in self.of_screen.canvases:
            region = canvas.region
            if canvas in (self, self._pointer) or not (canvas.display and region.y <= target.y < region.bottom):
                continue
            if target.y - region.y < len(drawn := canvas.drawn()):
                row.put(region.x, drawn[target.y - region.y].text())
        return row

    def _stand_clear(self, target: Target) -> None:
        below = next((each.region.height for each in self.screen.query("#bottom")), 1)
        place = where(target.y, self.screen.size.height, below, before=self._place)
        if place != self._place:
            self._place = place
            self.styles.height = place.rows
            self.styles.offset = Offset(0, place.y)

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None or self.frame.kept:
            return
        question, now_s = Explanation(self.target.path, snapshot.tick_ms), monotonic()
        if self._asked is not None:
            asked, asked_s = self._asked
            same = asked.path == question.path
            early = self.past is None or now_s - asked_s < _REST * self._took_s
            if asked == question or (same and self.frame.live and early):  # asking anew takes the question back
                return
        self._asked = question, now_s
        self.of_screen.ask(question, self._take, group="inspect")

    def _take(self, answer: Provenance) -> None:
        if self._asked is not None:
            self._took_s = monotonic() - self._asked[1]
        if self.is_attached and answer.path == self.target.path:
            self.past = answer
            self.redraw()

    # --- keys -----------------------------------------------------------------------------------------------------

    def action_point(self, direction: Direction) -> None:
        self._scroll(direction)
        found = neighbour(self.target, self._targets(), direction)
        if found is not None:
            self._point(found)

    def _scroll(self, direction: Direction) -> None:
        """Brings the next row of a list into sight, where there is one and the figure stands in the last that is."""
        step = {"up": -1, "down": 1}.get(direction, 0)
        if not step:
            return
        for canvas in self.of_screen.canvases:
            region, top = canvas.region, canvas.scroll_offset.y
            edge = region.y if step < 0 else region.bottom - 1
            more = top > 0 if step < 0 else top + region.height < canvas.rows()
            if canvas.display and more and self.target.y == edge and region.contains(self.target.x, self.target.y):
                canvas.scroll_to(y=top + step, animate=False, immediate=True)
                canvas.redraw()
                self.target = found_again(self.target._replace(y=edge - step), self._targets()) or self.target

    def action_next(self, step: int) -> None:
        found = self._targets()
        if found:
            self._point(following(self.target, found, step))

    def press(self, x: int, y: int) -> None:
        """Points at the figure that was pressed with the mouse."""
        if self.region.contains(x, y):
            return
        found = at(x, y, self._targets())
        if found is not None:
            self._point(found)
            self.focus()

    def action_open(self) -> None:
        from tokwatch.dashboard.screens.inspect import InspectScreen

        self.app.push_screen(InspectScreen(self.target.path))

    def action_copy(self) -> None:
        from tokwatch.dashboard.taking_away import copy_text

        told = self.told()
        if told is not None:
            copy_text(self.of_screen.tokwatch, told.value, told.title)

    # --- drawing --------------------------------------------------------------------------------------------------

    def told(self, width: int = 200) -> Told | None:
        """What is told of the figure by now; None before anything was measured."""
        if self.frame.snapshot is None:
            return None
        return tell(self.frame.snapshot, self.target.path, self.past, age_s=self.frame.age_s, width=width)

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look, ground="surface") for _ in range(height)]
        room = width - 2 * MARGIN - 1 - _LABEL
        told = self.told(2 * room)
        if told is None or height < 3:
            return lines
        put_title(lines[0], told)
        for line, fact in zip(lines[2:], fitted(told.facts, room, height - 2), strict=False):
            line.put(MARGIN + 1, fact.label, "quiet", width=_LABEL - 1)
            line.put(MARGIN + 1 + _LABEL, fact.text, fact.role, width=room)
        lines[1].put(MARGIN + 1, told.value, "bright", bold=True)
        return lines


def where(y: int, height: int, below: int, *, before: Place | None = None) -> Place:
    """Where the panel stands on a terminal of `height` rows with a figure in row `y`: at the bottom over the `below`
    rows of time and keys, or under the header; it changes sides only when it would be over the figure.
    """
    rows = next(rows for least, rows in _ROWS if height >= least)
    top, bottom = Place(1, rows), Place(height - below - rows, rows)
    sides = (top, bottom) if before is not None and before.y == 1 else (bottom, top)
    return next((side for side in sides if not side.y <= y < side.y + rows), bottom)


def put_title(line: Line, told: Told) -> None:
    """The figure in words, and its badges at the right; those that do not fit are left out."""
    x = line.width - MARGIN - 1
    for badge in reversed(told.badges):
        if x - len(badge.word) < line.width // 3:
            break
        x -= len(badge.word)
        line.put(x, badge.word, "alarm" if badge.shouts else "ui", bold=badge.shouts)
        x -= 2
    line.put(MARGIN + 1, told.title, bold=True, width=x - MARGIN - 2)


def fitted(facts: Sequence[Fact], width: int, rows: int) -> list[Fact]:
    """The facts in `rows` rows: one each, and what is left over for those that need more, the first ones first."""
    kept = list(facts[:rows])
    wrapped = [wrap(fact.text, width) or [""] for fact in kept]
    spare = rows - len(kept)
    shown: list[Fact] = []
    for fact, parts in zip(kept, wrapped, strict=True):
        more = min(spare, len(parts) - 1)
        spare -= more
        # What is cut is cut at the end of its last row, by Line.put, which then writes "…".
        texts = [*parts[:more], " ".join(parts[more:])]
        shown += [Fact(fact.label if not number else "", text, fact.role) for number, text in enumerate(texts)]
    return shown
