"""Time strip: the session, or its day, as one row with the marks of what happened and the position."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.mark_words import is_waste, look_of_mark
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.feeds.mark import Mark
from tokwatch.ledger.snapshot import Snapshot

_LONGEST_MS = 26 * 3_600_000  # more is shown by the day: a day has 25 hours when the clocks go back
_LEAST = 8  # cells of a track
_RANKS = ("idle", "waste", "price", "gap", "restart", "alert")  # the last one is drawn where several fall together


class TimeStrip(Canvas):
    """One row while the past is looked at."""

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look)
        if not self.frame.live:
            put_track(line, MARGIN + 1, self.size.width - 2 * MARGIN - 1, self.frame)
        return [line]


def put_track(line: Line, x: int, width: int, frame: Frame) -> None:
    """Begin, track with marks and position, and end, in `width` cells from `x`; nothing where there is no room."""
    snapshot, span = frame.snapshot, frame.span_ms
    if snapshot is None or span is None:
        return
    start_ms, end_ms = shown_span(span, snapshot)
    begin = ("…" if start_ms > span[0] else "") + formats.hour_minute(start_ms, snapshot.utc_offset_s)
    end = formats.hour_minute(end_ms, snapshot.utc_offset_s) + ("…" if end_ms < span[1] else "")
    cells = width - len(begin) - len(end) - 2
    if cells < _LEAST:
        return
    line.put(x, begin, "quiet")
    line.put(x + width - len(end), end, "quiet")
    x += len(begin) + 1

    def column(at_ms: int) -> int:
        share = (at_ms - start_ms) / (end_ms - start_ms) if end_ms > start_ms else 1.0
        return min(cells - 1, max(0, round(share * (cells - 1))))

    here = column(snapshot.tick_ms)
    line.put(x, glyphs.BAR * here, "ui")
    line.put(x + here, glyphs.RULE * (cells - here), "track")
    inside = [mark for mark in frame.marks if start_ms <= mark.at_ms <= end_ms]
    for mark in inside:
        if mark.kind == "gap":
            first = column(max(start_ms, mark.at_ms - mark.length_ms))
            line.put(x + first, glyphs.UNWATCHED * (column(mark.at_ms) - first), "faint")
    for mark in sorted(inside, key=_rank):
        line.put(x + column(mark.at_ms), *look_of_mark(mark))
    if frame.marked_ms is not None and start_ms <= frame.marked_ms <= end_ms:
        line.put(x + column(frame.marked_ms), "A", "ui", bold=True)
    line.paint(x + here, 1, "ui_tint")
    line.put(x + here, glyphs.POSITION, "bright", bold=True)


def shown_span(span: tuple[int, int], snapshot: Snapshot) -> tuple[int, int]:
    """All of a session that is no longer than a day; else the local day of the moment shown, as far as it goes."""
    if span[1] - span[0] <= _LONGEST_MS:
        return span
    from tokwatch.ledger.local_time import midnight_ms, zone_of  # time zones are not part of the first frame

    zone = zone_of(snapshot.timezone)
    start_ms = midnight_ms(snapshot.tick_ms, zone)
    return max(span[0], start_ms), min(span[1], midnight_ms(start_ms + _LONGEST_MS, zone))


def _rank(mark: Mark) -> int:
    return _RANKS.index("waste" if mark.kind == "alert" and is_waste(mark) else mark.kind)
