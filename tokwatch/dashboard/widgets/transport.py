"""Transport bar: where in the stored time the screen stands, while it does not stand at now."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.canvas import Canvas

_DAY_MS = 86_400_000


class Transport(Canvas):
    """One row: position, start, track with the position, end, speed. What lies after the position is drawn dark."""

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        line = Line(width, self.look)
        snapshot = self.frame.snapshot
        if snapshot is None or self.frame.live:
            return [line]
        offset = snapshot.utc_offset_s
        position = f"{formats.local(snapshot.tick_ms, offset):%Y-%m-%d %H:%M:%S}"
        x = line.put(MARGIN + 1, position, "ui", bold=True) + 2
        speed = f"{self.frame.speed:g}×"
        ending = "end live" if self.frame.can_go_live else "end last"
        right = width - MARGIN - len(ending)
        line.put(right, ending[:3], "ui", bold=True)
        line.put(right + 4, ending[4:], "quiet")
        right = right - 2 - len(speed)
        line.put(right, speed, "ui")
        span = self.frame.span_ms
        if span is None or right - x < 24:
            return [line]
        start, end = span
        form = "%d %b %H:%M" if end - start > _DAY_MS else "%H:%M"
        first, last = f"{formats.local(start, offset):{form}}", f"{formats.local(end, offset):{form}}"
        x = line.put(x, first, "quiet") + 1
        right = right - 2 - len(last)
        line.put(right, last, "quiet")
        track = right - 1 - x
        if track < 3:
            return [line]
        share = (snapshot.tick_ms - start) / (end - start) if end > start else 1.0
        at = min(track - 1, max(0, round(share * (track - 1))))
        line.put(x, glyphs.BAR * at, "ui")
        line.put(x + at, "▼", "ui", bold=True)
        line.put(x + at + 1, glyphs.RULE * (track - at - 1), "track")
        return [line]
