"""What the marks and dots of the plane mean."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.widgets.frontier_part import FrontierPart, heading
from tokwatch.dashboard.widgets.frontier_view import BENCHMARK, BEST, NOW

ROWS: Final = 6
_SECOND: Final = 17  # column
_GLYPH: Final = 4  # columns


class FrontierMarks(FrontierPart):
    """A heading and two columns of marks; other mixes only where there are any. Blank before the first point."""

    def draw(self, rows: range) -> list[Line]:
        lines = [Line(self.size.width, self.look) for _ in range(max(ROWS, self.size.height))]
        view = self.view
        if view is None or view.past is None or not view.past.points:
            return lines[: self.size.height]
        heading(lines, "MARKS")
        past = view.past
        other_mixes = any(point.mix != past.mix for point in past.points)
        entries = [
            (NOW, "now" if view.live else "then", "bright"),
            ("⠠⠂⠁", "last 30 min", "text"),
            ("⠒⠢⢄", "best seen", "work"),
            ("⠐", "one minute", "s1"),
            (BEST, "best in box" if view.box.set else "best", "work"),
            (BENCHMARK, "own reference", "ui"),
            *((("⠐", "of another mix", "track"),) if other_mixes else ()),
        ]
        for number, (glyph, words, role) in enumerate(entries):
            line, x = lines[2 + number // 2], _SECOND * (number % 2)
            line.put(x, glyph, role)
            line.put(x + _GLYPH, words, "quiet")
        return lines[: self.size.height]
