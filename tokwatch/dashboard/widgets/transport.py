"""Transport bar: where in the stored time the screen stands, while it does not stand at now."""

from __future__ import annotations

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import Line, shorten
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.mark_words import look_of_mark, words_of_mark
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.time_strip import put_track
from tokwatch.feeds.mark import last_mark

_DAY_MS = 86_400_000


class Transport(Canvas):
    """One row: position, speed, and between them the last thing that happened, or the track where no strip is."""

    under_strip = False

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        line = Line(width, self.look)
        snapshot = self.frame.snapshot
        if snapshot is None or self.frame.live:
            return [line]
        position = f"{formats.local(snapshot.tick_ms, snapshot.utc_offset_s):%Y-%m-%d %H:%M:%S}"
        x = line.put(MARGIN + 1, position, "ui", bold=True) + 2
        speed = f"{self.frame.speed:g}×"
        ending = "end live" if self.frame.can_go_live else "end last"
        right = width - MARGIN - len(ending)
        line.put(right, ending[:3], "ui", bold=True)
        line.put(right + 4, ending[4:], "quiet")
        right -= 2 + len(speed)
        line.put(right, speed, "ui")
        if self.under_strip:
            self._put_last_mark(line, x, right - 2 - x)
        else:
            put_track(line, x, right - 2 - x, self.frame)
        return [line]

    def _put_last_mark(self, line: Line, x: int, room: int) -> None:
        snapshot = self.frame.snapshot
        assert snapshot is not None
        mark = last_mark(self.frame.marks, snapshot.tick_ms)
        if mark is None:
            return
        glyph, role = look_of_mark(mark)
        behind_ms = snapshot.tick_ms - mark.at_ms
        when = f"{formats.local(mark.at_ms, snapshot.utc_offset_s):{'%H:%M' if behind_ms < _DAY_MS else '%d %b %H:%M'}}"
        end = x + room
        x = line.put(x, glyph, role) + 1
        x = line.put(x, when, "quiet") + 1
        line.put(x, shorten(words_of_mark(mark), end - x))
