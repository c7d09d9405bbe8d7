"""How long the deployment was on each side of the box: five thin bars whose shares add up to a hundred per cent."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.widgets.frontier_part import FrontierPart, heading
from tokwatch.dashboard.widgets.sparkline import bar
from tokwatch.ledger.capacity.looking_back import TimeInBox
from tokwatch.ledger.weights import split_counts

ROWS: Final = 7
_SIDES: Final = (
    ("inside", "work"),
    ("too slow", "alarm"),
    ("too dear", "waste_fill"),
    ("both", "s2"),
    ("unknown", "s0"),
)
_LABEL, _VALUE = 10, 8  # columns
_NO_BOX: Final = f"{glyphs.ABSENT} no box is set: b sets one here, [frontier] in config.toml for good"


class FrontierTime(FrontierPart):
    """A heading and a row for each side; blank before the first point."""

    def draw(self, rows: range) -> list[Line]:
        view, width = self.view, self.size.width
        lines = [Line(width, self.look) for _ in range(max(ROWS, self.size.height))]
        if view is None or view.past is None or not view.past.points:  # the plane says why
            return lines[: self.size.height]
        time = view.past.time
        if time is None:
            heading(lines, "TIME IN THE BOX")
            for line, words in zip(lines[2:], wrap(_NO_BOX, width), strict=False):
                line.put(0, words, "quiet")
            return lines[: self.size.height]
        heading(lines, "TIME IN THE BOX", (f"{formats.duration(time.watched_ms / 1000)} at work", "quiet"))
        for line, (label, role), tenths in zip(lines[2:], _SIDES, tenths_of_percent(time), strict=False):
            _put_row(line, label, role, tenths)
        return lines[: self.size.height]


def tenths_of_percent(time: TimeInBox) -> tuple[int, ...]:
    """The shares in the order of the rows, which add up to 1 000."""
    ms = (time.inside_ms, time.too_slow_ms, time.too_dear_ms, time.both_ms, time.unknown_ms)
    return split_counts(1000, ms)


def _put_row(line: Line, label: str, role: str, tenths: int) -> None:
    inside = role == "work"
    line.put(0, label, "text" if tenths else "quiet")
    room = line.width - _LABEL - _VALUE - 1
    line.put(_LABEL, glyphs.RULE * room, "track")
    cells, half = bar(tenths / 1000, room)
    half = half or bool(tenths and not cells)  # what is there is seen
    line.put(_LABEL, glyphs.BAR * cells + glyphs.BAR_HALF * half, role)
    value = f"{tenths / 10:.1f}" if tenths else "0"
    line.put(0, value, "bright" if inside else "text", bold=inside, width=line.width - 2, right=True)
    line.put(line.width - 2, " %", "quiet")
