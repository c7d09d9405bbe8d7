"""The GPU list: heading, one row a GPU, closing row. Three Canvases, of which the rows in the middle scroll."""

from __future__ import annotations

from functools import partial

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.layout import MARGIN, Place, columns
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.sparkline import bar, blocks
from tokwatch.ledger.marks import SCOPES, signs
from tokwatch.ledger.snapshot import Figure, GpuRow, Snapshot

_RIGHT = {
    "gpu": "GPU",
    "tok_s": "TOK/S",
    "tok_per_j": "TOK/S/W",
    "usd_per_m": "$/M OUT",
    "idle_usd": "IDLE $",
    "power": "POWER W",
    "memory": "MEM GB",
    "temperature": "°C",
}
_LEFT = {"state": "STATE", "serves": "SERVES", "spark": "2 MIN"}


class GpuHeading(Canvas):
    """Names and units of the columns, and a rule. What a bar is full at stands above the bar, when all GPUs agree."""

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        line, rule = Line(width, self.look), Line(width, self.look)
        snapshot = self.frame.snapshot
        sign = formats.currency_sign(snapshot.currency).strip() if snapshot else "$"
        for key, place in columns(width).items():
            if key in _LEFT:
                line.put(place.x, _LEFT[key], "quiet", width=place.width)
            elif key in _RIGHT:
                heading = _heading(key, snapshot).replace("$", sign)
                line.put(place.x, heading, "quiet", width=max(place.width, len(heading)), right=True)
            elif snapshot:
                limits = {row.power_limit_w if key == "power_bar" else row.memory_total_gib for row in snapshot.gpus}
                limit = limits.pop() if len(limits) == 1 else None
                if limit:
                    line.put(place.x, f"of {limit:.0f}", "faint", width=place.width)
        put_rule(rule)
        return [line, rule]


def _heading(key: str, snapshot: Snapshot | None) -> str:
    if snapshot and key == "gpu":
        return snapshot.device.upper()
    if snapshot and key == "power" and (scope := SCOPES.get(snapshot.power_scope)):
        return scope.sign
    return _RIGHT[key]


class GpuRows(Canvas):
    """The rows, virtual: only visible ones are drawn, and of those only changed cells are sent."""

    DEFAULT_CSS = """
    GpuRows { overflow: hidden auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.cursor = 0

    def rows(self) -> int:
        return len(self.frame.snapshot.gpus) if self.frame.snapshot else 1

    def move_cursor(self, by: int) -> None:
        """Moves the cursor by rows, stopping at both ends, and scrolls it into view."""
        self.cursor = max(0, min(self.rows() - 1, self.cursor + by))
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + self.size.height:
            self.scroll_to(y=self.cursor - self.size.height + 1, animate=False, immediate=True)
        self.redraw()

    def draw(self, rows: range) -> list[Line]:
        width = self.app.size.width  # a scroll bar stands in the margin and does not move the columns
        places = columns(width)
        snapshot = self.frame.snapshot
        if snapshot is None:
            line = Line(self.size.width, self.look)
            line.put(places["state"].x, f"{glyphs.ABSENT} {self.frame.starting}", "quiet")
            return [line]
        if not snapshot.gpus:
            line = Line(self.size.width, self.look)
            line.put(places["state"].x, "no GPU found; 6 shows where tokwatch looked", "quiet")
            return [line]
        self.cursor = min(self.cursor, len(snapshot.gpus) - 1)
        return [self._draw_row(snapshot, number, places) for number in rows if number < len(snapshot.gpus)]

    def _draw_row(self, snapshot: Snapshot, number: int, places: dict[str, Place]) -> Line:
        row = snapshot.gpus[number]
        line = Line(self.size.width, self.look)
        if number == self.cursor:
            line.paint(MARGIN, self.size.width - 2 * MARGIN + self._bar_width, "selected")
            line.put(MARGIN, glyphs.CURSOR, "ui")
        if row.warnings:
            line.put(places["gpu"].x + 1, glyphs.WARNING, "alarm")
        line.put(places["gpu"].x + 1, row.label, width=places["gpu"].width - 1, right=True)
        _put_state(line, places["state"], row, snapshot.tick_ms)
        _put_serves(line, places["serves"], row)
        alarm = row.confirmed and glyphs.look_of_state(row.state).role == "alarm"
        shouts = row.idle and row.confirmed
        for key, figure, write, role, bold in (
            ("tok_s", row.tok_s, formats.count, "text", False),
            ("tok_per_j", row.tok_per_j, formats.ratio, "text", False),
            ("usd_per_m", row.usd_per_m_output, formats.per_million, "bright", True),
            ("idle_usd", row.idle_usd_today, formats.amount, "waste" if shouts else "quiet", shouts),
            ("power", row.power_w, formats.count, "alarm" if alarm else "text", False),
            ("memory", row.memory_used_gib, partial(formats.gigabytes, total=row.memory_total_gib), "text", False),
            ("temperature", row.temperature_c, formats.count, "quiet", False),
        ):
            if key in places:
                zero = figure.value == 0 and role in ("text", "bright")
                put_figure(
                    line, places[key], figure, formats.figure(figure, write), "quiet" if zero else role, bold=bold
                )
        if "spark" in places:
            _put_blocks(line, places["spark"], row.spark)
        if "power_bar" in places:
            put_bar(line, places["power_bar"], row.power_w.value, row.power_limit_w, "alarm" if alarm else "s2")
        if "memory_bar" in places:
            put_bar(line, places["memory_bar"], row.memory_used_gib.value, row.memory_total_gib, "s1")
        return line

    @property
    def _bar_width(self) -> int:
        return 1 if self.show_vertical_scrollbar else 0


class GpuClosing(Canvas):
    """A rule and the sums over all GPUs, so that the reader can add the list up. What is on no GPU stands in the rule,
    so that it scrolls away with no terminal.
    """

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        rule, line = Line(width, self.look), Line(width, self.look)
        put_rule(rule)
        snapshot = self.frame.snapshot
        if snapshot is None or not snapshot.gpus:
            return [rule, line]
        places = columns(width)
        totals = snapshot.totals
        if totals.unplaced:
            _put_unplaced(rule, places, snapshot)
        line.put(places["state"].x, f"all {totals.gpus}", "quiet", width=places["state"].width)
        if totals.deployments:
            deployments = f"{totals.deployments} deployment{'s' if totals.deployments > 1 else ''}"
            full = len(formats.figure(totals.tok_s, formats.count)) >= places["tok_s"].width
            if len(deployments) + full <= places["serves"].width:  # a blank before the next figure
                line.put(places["serves"].x, deployments, "quiet")
        idle_role = "waste" if totals.gpus_idle else "quiet"
        largest = max((row.memory_total_gib or 0.0 for row in snapshot.gpus), default=0.0)
        memory = partial(formats.gigabytes, total=largest)  # as the rows above it
        for key, figure, write, role in (
            ("tok_s", totals.tok_s, formats.count, "text"),
            ("tok_per_j", totals.tok_per_j, formats.ratio, "text"),
            ("usd_per_m", totals.usd_per_m_output, formats.per_million, "bright"),
            ("idle_usd", totals.idle_usd_today, formats.amount, idle_role),
            ("power", totals.power_w, formats.count, "text"),
            ("memory", totals.memory_used_gib, memory, "text"),
        ):
            if key in places:
                put_figure(line, places[key], figure, formats.figure(figure, write), role, bold=True)
        if "power_bar" in places:
            put_bar(line, places["power_bar"], totals.power_w.value, totals.power_limit_w, "s2")
        if "memory_bar" in places:
            put_bar(line, places["memory_bar"], totals.memory_used_gib.value, totals.memory_total_gib, "s1")
        return [rule, line]


def _put_unplaced(line: Line, places: dict[str, Place], snapshot: Snapshot) -> None:
    """The servers on no GPU, and their part of the sum below."""
    totals, start = snapshot.totals, places["state"].x
    figure = formats.figure(totals.unplaced_tok_s, formats.count)
    at = places["tok_s"].x + places["tok_s"].width - len(figure)
    line.put(start - 1, " " * (at + len(figure) + 2 - start))
    line.put(start, f"(on no {snapshot.device}) {' + '.join(totals.unplaced)}", "quiet", width=at - 2 - start)
    line.put(at, figure, "quiet")


def put_rule(line: Line) -> None:
    """A thin line under a heading, from margin to margin."""
    line.put(MARGIN, glyphs.RULE * (line.width - 2 * MARGIN), "rule")


def put_figure(line: Line, place: Place, figure: Figure, text: str, role: str, *, bold: bool) -> None:
    """A figure at the right of its column. Absent is faint; ∞ is money for nothing; `few` stands before its figure."""
    if figure.infinite:
        role, bold = "waste", False
    elif figure.value is None:
        role, bold = "faint", False
    right = place.x + place.width
    if formats.is_few(figure):
        if len(text) + 4 > place.width + 2:  # two cells of the gap before the column are free
            text = "few"
        else:
            line.put(right - len(text) - 4, "few", "quiet")
        role, bold = "quiet", False
    x = min(place.x, right - len(text))  # signs may stand in the gap; a figure is never cut
    line.put(x, text, role, bold=bold, width=right - x, right=True)
    if text.startswith(before := signs(figure.marks)):
        line.put(right - len(text), before, "quiet")


def put_bar(line: Line, place: Place, value: float | None, full: float | None, role: str) -> None:
    """A thin bar over its track; nothing at all when either end is unknown."""
    if value is None or not full:
        return
    cells, half = bar(value / full, place.width)
    x = line.put(place.x, glyphs.BAR * cells + (glyphs.BAR_HALF if half else ""), role)
    line.put(x, glyphs.RULE * (place.x + place.width - x), "track")


def _put_state(line: Line, place: Place, row: GpuRow, now_ms: int) -> None:
    look = glyphs.look_of_state(row.state)
    shouts = row.idle and row.confirmed
    if not row.confirmed:
        glyph_role = word_role = "quiet"
    else:
        glyph_role = look.role
        word_role = "text" if look.role in ("work", "s3", "ui") else "quiet" if look.role == "faint" else look.role
    line.put(place.x, look.glyph, glyph_role)
    after = line.put(place.x + 2, look.word, word_role, bold=shouts, width=place.width - 2)
    if row.confirmed and row.state != "serving":
        room = place.x + place.width - after - 1
        length = formats.duration((now_ms - row.since_ms) / 1000, room)
        if len(length) <= room:
            line.put(after + 1, length, word_role)


def _put_serves(line: Line, place: Place, row: GpuRow) -> None:
    if not row.serves:
        line.put(place.x, glyphs.ABSENT, "faint")
    elif len(row.servers) > 1 and len(to_cells(row.serves)) > place.width:
        first, _, _ = row.serves.partition(" + ")
        more = f" +{len(row.servers) - 1}"
        x = line.put(place.x, first, width=place.width - len(more))
        line.put(x, more, "quiet")
    else:
        line.put(place.x, row.serves, width=place.width)


def _put_blocks(line: Line, place: Place, values: tuple[float | None, ...]) -> None:
    text = blocks(values)[-place.width :]
    if not any(values):  # a flat zero is a line, not a row of small bars
        line.put(place.x, text, "track")
        return
    line.put(place.x, text, "work_past")
    line.put(place.x + len(text) - 1, text[-1:], "work")
