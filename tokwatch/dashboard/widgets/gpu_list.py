"""The GPU list: heading, a row for each GPU or group, closing row. Of the three Canvases the middle one scrolls."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from textual.events import Click
from textual.message import Message

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.arrange.fields import FIELDS
from tokwatch.dashboard.arrange.site import Site
from tokwatch.dashboard.arrange.table import heading_of
from tokwatch.dashboard.arrange.view import Group, Item, Listing, Sort
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import MARGIN, columns
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_row import Places, put_gpu, put_group, put_sums
from tokwatch.dashboard.widgets.gpu_row import put_bar as put_bar
from tokwatch.dashboard.widgets.gpu_row import put_figure as put_figure
from tokwatch.dashboard.widgets.gpu_row import put_rule as put_rule
from tokwatch.ledger.snapshot import GpuRow, Snapshot

_TO_THE_LEFT = frozenset({"state", "serves", "spark", "host", "deployment", "uuid"})
_LIMITS = {"power_bar": "power_limit_w", "memory_bar": "memory_total_gib"}


class OfTheList(Canvas):
    """A part of the list, in the view that all of them share."""

    def __init__(self, look: Look, listing: Listing, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.listing = listing

    def places(self) -> Places:
        """Where the columns stand. A scroll bar stands in the margin and does not move them."""
        chosen = self.listing.view.columns
        if self.look.calm:  # a sparkline moves at every frame
            chosen = tuple(key for key in chosen if key != "spark")
        return columns(self.app.size.width, chosen)


class GpuHeading(OfTheList):
    """Names and units of the columns, and a rule. What a bar is full at stands above the bar, when all GPUs agree; what
    the list is filtered by stands in the rule.
    """

    class Chosen(Message):
        """A column was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        line, rule = Line(width, self.look), Line(width, self.look)
        snapshot = self.frame.snapshot
        places = self.places()
        sort = self.listing.view.sort
        for key, place in places.items():
            if key in _LIMITS:
                if snapshot and (limit := _common(snapshot, _LIMITS[key])):
                    line.put(place.x, f"of {limit:.0f}", "faint", width=place.width)
                continue
            heading = heading_of(key, snapshot)
            sorted_by = key == sort.key and sort != Sort()
            role = "text" if sorted_by else "quiet"
            if key in _TO_THE_LEFT:
                line.put(place.x, heading + (mark_of(sort) if sorted_by else ""), role, width=place.width)
            else:
                heading = (mark_of(sort) if sorted_by else "") + heading
                line.put(place.end - len(heading), heading, role)  # the mark stands in the gap
        put_rule(rule)
        self._put_arrangement(rule, places)
        return [line, rule]

    def _put_arrangement(self, rule: Line, places: Places) -> None:
        """What of the view no column tells."""
        view, x = self.listing.view, places["state"].x - 1
        if view.sort != Sort() and view.sort.key not in places:
            field = FIELDS[view.sort.key]
            x = rule.put(x, f" by {field.about} {mark_of(view.sort)} ", "quiet") + 1
        if view.filter:
            x = rule.put(x, " / ", "quiet")
            x = rule.put(x, f"{view.filter.text} ", "ui", bold=True, width=max(0, rule.width - MARGIN - x - 14))
            rule.put(x, " esc clears ", "quiet")

    def on_click(self, event: Click) -> None:
        under = [key for key, place in self.places().items() if place.x <= event.x < place.end]
        if under and FIELDS[under[0]].letter:
            self.post_message(self.Chosen(under[0]))


def mark_of(sort: Sort) -> str:
    """Which way it is sorted."""
    return glyphs.FALLING if sort.falling else glyphs.RISING


def _common(snapshot: Snapshot, attribute: str) -> float | None:
    limits: set[float | None] = set(map(attrgetter(attribute), snapshot.gpus))
    return limits.pop() if len(limits) == 1 else None


class GpuRows(OfTheList):
    """The rows, virtual: only visible ones are drawn, and of those only changed cells are sent.

    The cursor stays on its GPU wherever that comes to stand.
    """

    DEFAULT_CSS = """
    GpuRows { overflow: hidden auto; scrollbar-size-vertical: 1; }
    """

    class Opened(Message):
        """The row under the cursor was clicked twice."""

    def __init__(self, look: Look, listing: Listing, *, id: str | None = None) -> None:
        super().__init__(look, listing, id=id)
        self.cursor = 0
        self._on: int | str | None = None  # what the cursor stays on, also while a filter hides it

    def items(self) -> Sequence[Item]:
        snapshot = self.frame.snapshot
        return self.listing.of(snapshot).items if snapshot else ()

    def item(self) -> Item | None:
        """What is under the cursor."""
        items = self.items()
        return items[min(self.cursor, len(items) - 1)] if items else None

    def rows(self) -> int:
        return max(1, len(self.items()))

    def show(self, frame: Frame) -> None:
        self.frame = frame
        self._stay()
        self.redraw()

    def _stay(self) -> None:
        """Moves the cursor to where its GPU now is, and if it was in sight keeps it there."""
        items = self.items()
        if not items:
            return
        was, in_sight = self.cursor, 0 <= self.cursor - self.scroll_offset.y < self.size.height
        self.cursor = min(self.cursor, len(items) - 1)
        if self._on is None:
            self._on = _name(items[self.cursor])
        elif _name(items[self.cursor]) != self._on:
            self.cursor = next((at for at, item in enumerate(items) if _name(item) == self._on), self.cursor)
        if self.cursor != was and in_sight:
            self._into_sight()

    def move_cursor(self, by: int) -> None:
        """Moves the cursor by rows, stopping at both ends, and scrolls it into view."""
        self.put_cursor(self.cursor + by)

    def put_cursor(self, at: int) -> None:
        """Puts the cursor on a row, the first or last one where there are fewer, and scrolls it into view."""
        items = self.items()
        self.cursor = max(0, min(self.rows() - 1, at))
        self._on = _name(items[self.cursor]) if items else None
        self._into_sight()
        self.redraw()

    def to_first_gpu(self) -> None:
        """The cursor to the first GPU, past the line of its group."""
        self.put_cursor(next((at for at, item in enumerate(self.items()) if isinstance(item, GpuRow)), 0))
        if self.cursor == 1:
            self.scroll_to(y=0, animate=False, immediate=True)

    def _into_sight(self) -> None:
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + self.size.height:
            self._fit_virtual_size()  # the row may be newer than the room that is known
            self.scroll_to(y=self.cursor - self.size.height + 1, animate=False, immediate=True)

    def on_click(self, event: Click) -> None:
        if event.x < self.size.width and (at := event.y + self.scroll_offset.y) < len(self.items()):
            self.put_cursor(at)
            if event.chain == 2:
                self.post_message(self.Opened())

    def draw(self, rows: range) -> list[Line]:
        places = self.places()
        snapshot = self.frame.snapshot
        if snapshot is None:
            return [self._words(places, f"{glyphs.ABSENT} {self.frame.starting}")]
        if not snapshot.gpus:
            return [self._words(places, "no GPU found; 6 shows where tokwatch looked")]
        items = self.items()
        if not items:
            return [self._words(places, f"no {snapshot.device} is so")]
        site = Site(snapshot)
        return [self._draw_row(site, items[at], at, places) for at in rows if at < len(items)]

    def _words(self, places: Places, text: str) -> Line:
        line = Line(self.size.width, self.look)
        line.put(places["state"].x, text, "quiet")
        return line

    def _draw_row(self, site: Site, item: Item, at: int, places: Places) -> Line:
        line = Line(self.size.width, self.look)
        if at == self.cursor:
            line.paint(MARGIN, self.size.width - 2 * MARGIN + self._bar_width, "selected")
            line.put(MARGIN, glyphs.CURSOR, "ui")
        if isinstance(item, Group):
            put_group(line, places, item, item.rows[0].device, _largest_memory(item.rows))
        else:
            put_gpu(line, places, item, site)
        return line

    @property
    def _bar_width(self) -> int:
        return 1 if self.show_vertical_scrollbar else 0


def _name(item: Item) -> int | str:
    """What it stays the same by from one Snapshot to the next."""
    return item.name if isinstance(item, Group) else item.entity


class GpuClosing(OfTheList):
    """A rule and the sums over what is shown, so that the reader can add the list up. What is on no GPU stands in the
    rule, so that it scrolls away with no terminal.
    """

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        rule, line = Line(width, self.look), Line(width, self.look)
        put_rule(rule)
        snapshot = self.frame.snapshot
        if snapshot is None or not snapshot.gpus:
            return [rule, line]
        places = self.places()
        shown = self.listing.of(snapshot)
        totals = snapshot.totals
        if shown.sums is not None:
            line.put(places["state"].x, f"{shown.sums.gpus} of {shown.of} shown", "ui", bold=True)
        else:
            if totals.unplaced:
                _put_unplaced(rule, places, snapshot)
            line.put(places["state"].x, f"all {totals.gpus}", "quiet", width=places["state"].width)
            _put_deployments(line, places, snapshot)
        put_sums(line, places, shown.sums or totals, _largest_memory(snapshot.gpus), bold=True)
        return [rule, line]


def _largest_memory(rows: Sequence[GpuRow]) -> float:
    """So that a sum is written as the rows above it."""
    return max((total or 0.0 for total in {row.memory_total_gib for row in rows}), default=0.0)


def _put_deployments(line: Line, places: Places, snapshot: Snapshot) -> None:
    totals = snapshot.totals
    if totals.deployments and "serves" in places:
        deployments = f"{totals.deployments} deployment{'s' if totals.deployments > 1 else ''}"
        full = "tok_s" in places and len(formats.figure(totals.tok_s, formats.count)) >= places["tok_s"].width
        if len(deployments) + full <= places["serves"].width:  # a blank before the next figure
            line.put(places["serves"].x, deployments, "quiet")


def _put_unplaced(line: Line, places: Places, snapshot: Snapshot) -> None:
    """The servers on no GPU, and their part of the sum below."""
    totals, start = snapshot.totals, places["state"].x
    figure = formats.figure(totals.unplaced_tok_s, formats.count)
    place = places.get("tok_s") or places["state"]
    at = max(start + 16, place.end - len(figure))
    line.put(start - 1, " " * (at + len(figure) + 2 - start))
    line.put(start, f"(on no {snapshot.device}) {' + '.join(totals.unplaced)}", "quiet", width=at - 2 - start)
    line.put(at, figure, "quiet")
