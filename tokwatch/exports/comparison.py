"""Two windows side by side as plain text: for pipes and for terminals that can do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from tokwatch.exports.table import columns, duration
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.marks import signs
from tokwatch.ledger.window_figures import LABELS, Compared, WindowFigures

_ABSENT = "–"


def plain_comparison(rows: Sequence[Compared], before: WindowFigures, after: WindowFigures, zone: tzinfo) -> str:
    """A table, and below it why what is unknown is so; ends in a newline."""
    heading = ("", "", f"A {_when(before, zone)}", f"B {_when(after, zone)}", "CHANGE")
    table = [(*LABELS[row.name], _told(row.before), _told(row.after), _change(row.change)) for row in rows]
    lines = columns([heading, *((label, _unit(unit, after), *cells) for label, unit, *cells in table)], numbers_from=2)
    reasons = [
        f"{_ABSENT} {LABELS[row.name][0]}, {side}: {figure.why}"
        for row in rows
        for side, figure in (("A", row.before), ("B", row.after))
        if figure.why and (isinstance(figure, Interval) or (figure.value is None and not figure.infinite))
    ]
    length = f"the {duration(after.to_ms - after.from_ms)} until each moment"
    watched = [
        f"{side} was watched {window.coverage * 100:.0f} % of the time"
        for side, window in (("A", before), ("B", after))
        if window.coverage < 0.995
    ]
    return "\n".join([length, *lines, *watched, *reasons]) + "\n"


def _when(window: WindowFigures, zone: tzinfo) -> str:
    end = datetime.fromtimestamp(window.to_ms / 1000, zone)
    return f"{end:%d %b %H:%M}"


def _unit(unit: str, window: WindowFigures) -> str:
    return unit.replace("$", window.currency)


def _told(figure: Figure | Interval) -> str:
    if isinstance(figure, Interval):
        if figure.low is None or figure.high is None:
            return _ABSENT
        low, high = f"{figure.low * 100:.1f}", f"{figure.high * 100:.1f}"
        return low if low == high else f"{low}–{high}"
    if figure.infinite:
        return "∞"
    if figure.value is None:
        return _ABSENT
    decimals = 3 if 0 < abs(figure.value) < 0.0995 else 2 if abs(figure.value) < 99.5 else 0
    return signs(figure.marks) + f"{figure.value:.{decimals}f}"


def _change(change: Figure) -> str:
    return _ABSENT if change.value is None else f"{change.value * 100:+.1f} %"
