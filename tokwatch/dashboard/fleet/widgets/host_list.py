"""The host list: heading, a row for each host or group, closing row. Of the three Canvases the middle one scrolls."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from textual.events import Click
from textual.message import Message

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.host_columns import TO_THE_LEFT, host_columns
from tokwatch.dashboard.fleet.host_fields import HOST_FIELDS
from tokwatch.dashboard.fleet.listing import Group, HostListing, HostSort, Item
from tokwatch.dashboard.fleet.widgets.host_row import Places, put_group, put_host, put_sums
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.gpu_row import put_rule


class HostHeading(Canvas[FleetFrame]):
    """Names and units of the columns, and a rule, in which stands what no column tells of the view."""

    class Chosen(Message):
        """A column was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, look: Look, listing: HostListing) -> None:
        super().__init__(look)
        self.listing = listing

    def places(self) -> Places:
        """Where the columns stand. A scroll bar stands in the margin and does not move them."""
        return host_columns(self.app.size.width, self.listing.view.columns)

    def draw(self, rows: range) -> list[Line]:
        line, rule = Line(self.size.width, self.look), Line(self.size.width, self.look)
        view, places, snapshot = self.listing.view, self.places(), self.frame.snapshot
        sign = formats.currency_sign(snapshot.currency).strip() if snapshot else "$"
        for key, place in places.items():
            if key == "memory_bar":
                continue
            by = key == view.sort.key and view.sort != HostSort()
            mark = (glyphs.FALLING if view.sort.falling else glyphs.RISING) if by else ""
            heading = HOST_FIELDS[key].heading.replace("$", sign)
            role = "text" if by else "quiet"
            if key in TO_THE_LEFT:
                line.put(place.x, heading + mark, role, width=place.width)
            else:
                line.put(place.end - len(mark + heading), mark + heading, role)  # the mark stands in the gap
        put_rule(rule)
        self._put_arrangement(rule, places)
        return [line, rule]

    def _put_arrangement(self, rule: Line, places: Places) -> None:
        view, x = self.listing.view, places["host"].x + 2
        if view.group:
            x = rule.put(x, f" by {view.group} ", "quiet") + 1
        if view.sort != HostSort() and view.sort.key not in places:
            x = rule.put(x, f" sorted by {HOST_FIELDS[view.sort.key].about} ", "quiet") + 1
        if view.filter:
            x = rule.put(x, " / ", "quiet")
            x = rule.put(x, f"{view.filter.text} ", "ui", bold=True, width=max(0, rule.width - MARGIN - x - 14))
            rule.put(x, " esc clears ", "quiet")

    def on_click(self, event: Click) -> None:
        under = [key for key, place in self.places().items() if place.x <= event.x < place.end]
        if under and HOST_FIELDS[under[0]].letter:
            self.post_message(self.Chosen(under[0]))


class HostRows(CursorRows[FleetFrame]):
    """The rows, virtual: only visible ones are drawn, and of those only changed cells are sent."""

    class Opened(Message):
        """The row under the cursor was clicked twice."""

    def __init__(self, look: Look, listing: HostListing) -> None:
        super().__init__(look)
        self.listing = listing
        self._subjects: tuple[Sequence[Item], list[Hashable | None]] = ((), [])

    def items(self) -> Sequence[Item]:
        snapshot = self.frame.snapshot
        return self.listing.of(snapshot).items if snapshot else ()

    def subjects(self) -> Sequence[Hashable | None]:
        items = self.items()
        if self._subjects[0] is not items:
            self._subjects = items, [_subject(item) for item in items]
        return self._subjects[1]

    @property
    def item(self) -> Item | None:
        """What is under the cursor."""
        cursor = self.cursor
        return None if cursor is None else self.items()[cursor]

    def draw_empty(self, line: Line) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            text = f"{glyphs.ABSENT} {self.frame.starting}"
        elif not snapshot.hosts:
            text = "no host is told of; 4 shows what was asked"
        else:
            text = "no host is so"
        line.put(MARGIN + 2, text, "quiet")

    def draw_row(self, line: Line, number: int) -> None:
        snapshot, item = self.frame.snapshot, self.items()[number]
        assert snapshot is not None  # there are no rows before one
        places = host_columns(self.app.size.width, self.listing.view.columns)
        if isinstance(item, Group):
            put_group(line, places, item)
        else:
            put_host(line, places, item, snapshot, indent=2 if self.listing.view.group else 0)

    def on_click(self, event: Click) -> None:
        if self.put_cursor(event.y + self.scroll_offset.y) and event.chain == 2:
            self.post_message(self.Opened())


def _subject(item: Item) -> Hashable:
    return ("group", item.row.name) if isinstance(item, Group) else item.key


class HostClosing(Canvas[FleetFrame]):
    """A rule and the sums over what is shown, so that the reader can add the list up."""

    def __init__(self, look: Look, listing: HostListing) -> None:
        super().__init__(look)
        self.listing = listing

    def draw(self, rows: range) -> list[Line]:
        rule, line = Line(self.size.width, self.look), Line(self.size.width, self.look)
        put_rule(rule)
        snapshot = self.frame.snapshot
        if snapshot is None or not snapshot.hosts:
            return [rule, line]
        places, shown = host_columns(self.size.width, self.listing.view.columns), self.listing.of(snapshot)
        if shown.sums is None:
            line.put(places["host"].x, f"all {formats.count(len(snapshot.hosts))}", "quiet")
        else:
            line.put(places["host"].x, f"{len(shown.hosts)} of {len(snapshot.hosts)} shown", "ui", bold=True)
        sums = shown.sums or snapshot.total
        if sums.gpus_idle:
            idle = f"{formats.count(sums.gpus_idle)} of {formats.count(sums.gpus)} GPUs idle"
            width = places["models"].end - places["state"].x if "models" in places else places["state"].width
            line.put(places["state"].x, idle, "waste", width=width)
        put_sums(line, places, sums, bold=True)
        return [rule, line]
