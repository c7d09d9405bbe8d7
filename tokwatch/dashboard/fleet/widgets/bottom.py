"""The bottom rows of every screen of the fleet: what is wrong, where in time, and which keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, shorten
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.fleet.keys import TABS
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.footer import Keys, put_keys, put_tabs
from tokwatch.ledger.fleet.snapshot import FleetSnapshot

MOST_NOTICES: Final = 3
_LEAST_TRACK: Final = 8  # cells


def notices(snapshot: FleetSnapshot | None) -> list[tuple[str, str, str]]:
    """(glyph, role, text) of what is wrong with the answer that is on screen, and with how it is asked for; the worst
    first."""
    if snapshot is None:
        return []
    problems = [(glyphs.FAILED, "alarm", text) for text in snapshot.problems]
    partial = [(glyphs.WARNING, "waste", f"partial answer: {text}") for text in snapshot.warnings]
    return problems + partial + [(glyphs.WARNING, "waste", text) for text in snapshot.notices]


class Notices(Canvas[FleetFrame]):
    """A row each. What has no row is counted in the last one."""

    def draw(self, rows: range) -> list[Line]:
        every = notices(self.frame.snapshot)
        return [self._notice(number, every) for number in rows]

    def _notice(self, number: int, every: list[tuple[str, str, str]]) -> Line:
        line = Line(self.size.width, self.look)
        if number < len(every):
            glyph, role, text = every[number]
            more = len(every) - number - 1 if number == self.size.height - 1 else 0
            room = line.width - 2 * MARGIN - 3 - (len(f"+{more}") + 1 if more else 0)
            line.put(MARGIN + 1, glyph, role)
            x = line.put(MARGIN + 3, shorten(text, room), role)
            if more:
                line.put(x + 1, f"+{more}", "quiet")
        return line


class FleetTransport(Canvas[FleetFrame]):
    """One row while the past is looked at: position, track, speed."""

    def draw(self, rows: range) -> list[Line]:
        frame, snapshot = self.frame, self.frame.snapshot
        line = Line(self.size.width, self.look)
        if snapshot is None or frame.live:
            return [line]
        moment = f"{formats.local(snapshot.at_ms, frame.utc_offset_s):%Y-%m-%d %H:%M:%S}"
        x = line.put(MARGIN + 1, moment, "ui", bold=True) + 2
        ending = "end live" if frame.can_go_live else "end last"
        right = line.width - MARGIN - len(ending)
        line.put(right, ending[:3], "ui", bold=True)
        line.put(right + 4, ending[4:], "quiet")
        speed = f"{frame.speed:g}×"
        right -= 2 + len(speed)
        line.put(right, speed, "ui")
        if frame.span_ms is None:
            line.put(x, "this source has no past", "quiet", width=right - 2 - x)
        else:
            self._put_track(line, x, right - 2 - x, snapshot.at_ms, frame.span_ms)
        return [line]

    def _put_track(self, line: Line, x: int, width: int, at_ms: int, span: tuple[int, int]) -> None:
        shape = "%H:%M" if span[1] - span[0] < 86_400_000 else "%d %b"
        begin, end = (f"{formats.local(edge, self.frame.utc_offset_s):{shape}}" for edge in span)
        cells = width - len(begin) - len(end) - 2
        if cells < _LEAST_TRACK:
            return
        share = (at_ms - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 1.0
        here = round(min(1.0, max(0.0, share)) * (cells - 1))
        line.put(x, begin, "quiet")
        line.put(x + width - len(end), end, "quiet")
        x += len(begin) + 1
        line.put(x, glyphs.BAR * here, "ui")
        line.put(x + here, glyphs.RULE * (cells - here), "track")
        line.paint(x + here, 1, "ui_tint")
        line.put(x + here, glyphs.POSITION, "bright", bold=True)


class FleetFooter(Canvas[FleetFrame]):
    """The tabs, and the keys of the screen in the order of their worth."""

    def __init__(self, look: Look, tab: str, keys: Keys) -> None:
        super().__init__(look)
        self._tab = tab
        self._keys = keys

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look, ground="surface")
        x = put_tabs(line, [(tab.key, tab.name) for tab in TABS], self._tab)
        put_keys(line, self._keys if self.frame.live else tuple(self._past_keys()), line.width - x - 2, self.look)
        return [line]

    def _past_keys(self) -> Iterator[tuple[str, str]]:
        """In the past those that move in time come first."""
        yield from (("?", "help"), ("space", "play"), ("←→", "step"), ("g", "go to"), ("[ ]", "speed"))
        yield from (key for key in self._keys if key[0] not in ("?", "space", "←→"))
