"""Alert list: what needs attention, with what it costs a day and has cost so far.

The recorder's own troubles come first, then devices that are at fault themselves, then the states that cost money.
"""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, shorten
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.alert_entries import Entry, Fault, entries, gpus_of
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import put_rule
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import AlertRow, Snapshot

_WIDE = 100  # from here on with the time it fired
_MONEY = 22  # a day and so far, right-aligned


def alert_count(snapshot: Snapshot | None) -> int:
    """How many lines the list would like to have."""
    return len(entries(snapshot)) if snapshot else 0


class AlertList(Canvas):
    """With a heading where there is room, else lines alone. What does not fit is counted in the last line."""

    heading = False

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        snapshot = self.frame.snapshot
        if snapshot is None or not height:
            return lines
        heading = self.heading and height > 2  # a heading is told of before there is room for it
        body = lines[2:] if heading else lines
        if heading:
            _put_heading(lines[0], snapshot)
            put_rule(lines[1])
        found = entries(snapshot)
        whole = len(body) if len(found) <= len(body) else len(body) - 1
        named = (len(gpus_of(entry, snapshot)) for entry in found if not isinstance(entry, str))
        gpus = min(max(named, default=0), width // 5)
        for line, entry in zip(body, found[:whole], strict=False):
            if isinstance(entry, str):
                x = _put_problem(line)
                line.put(x, entry, width=width - MARGIN - x)
            elif isinstance(entry, Fault):
                _put_fault(line, entry, snapshot, gpus)
            else:
                _put_alert(line, entry, snapshot, gpus, with_day=not heading)
        if found[whole:]:
            _put_rest(body[-1], found[whole:], snapshot)
        return lines


def _put_problem(line: Line, x: int = MARGIN + 3) -> int:
    line.put(x, glyphs.FAILED, "alarm")
    return line.put(x + 3, "tokwatch", "alarm", bold=True) + 2


def _put_fault(line: Line, fault: Fault, snapshot: Snapshot, gpus: int) -> None:
    line.put(MARGIN + 3, glyphs.WARNING, "alarm")
    line.put(MARGIN + 6, "fault", "alarm", bold=True)
    x = MARGIN + 17
    if line.width >= _WIDE:
        at_ms = fault.warning.at_ms
        if at_ms is None:
            line.put(x, glyphs.ABSENT, "faint")
        else:
            line.put(x, formats.hour_minute(at_ms, snapshot.utc_offset_s), "quiet")
        x += 6
    line.put(x, gpus_of(fault, snapshot), width=gpus)
    x += gpus + 2
    line.put(x, shorten(fault.warning.text, line.width - MARGIN - x))


def _put_rest(line: Line, entries: list[Entry], snapshot: Snapshot) -> None:
    """What has no line of its own, in few words each and as many as fit."""
    x = MARGIN + 3
    for number, entry in enumerate(entries):
        glyph, words, role = _in_short(entry, snapshot)
        more = f"+{len(entries) - number}"
        if x + 3 + len(words) + 3 + len(more) > line.width - MARGIN:
            line.put(x, more, "quiet")
            return
        line.put(x, glyph, role)
        x = line.put(x + 2, words, role if role in ("waste", "alarm") else "text") + 3


def _in_short(entry: Entry, snapshot: Snapshot) -> tuple[str, str, str]:
    """Glyph, words and role."""
    if isinstance(entry, str):
        return glyphs.FAILED, "problem", "alarm"
    if isinstance(entry, Fault):
        return glyphs.WARNING, f"fault {gpus_of(entry, snapshot)}", "alarm"
    look = glyphs.look_of_state(entry.state)
    return look.glyph, f"{look.word or entry.key} {gpus_of(entry, snapshot)}".rstrip(), look.role


def _put_heading(line: Line, snapshot: Snapshot) -> None:
    x = line.put(MARGIN, "ALERTS", bold=True)
    firing = sum(alert.status == "firing" for alert in snapshot.alerts)
    line.put(x + 2, f"{firing} firing", "quiet")
    right = line.width - MARGIN
    line.put(right - _MONEY, "A DAY", "quiet", width=_MONEY - 10, right=True)
    line.put(right - 9, "SO FAR", "quiet", width=9, right=True)


def _put_alert(line: Line, alert: AlertRow, snapshot: Snapshot, gpus: int, *, with_day: bool) -> None:
    look = glyphs.look_of_state(alert.state)
    firing = alert.status == "firing" and alert.leaves
    role = look.role if firing and look.role in ("waste", "alarm") else "text" if firing else "quiet"
    line.put(MARGIN + 3, look.glyph, look.role if firing else "quiet")
    line.put(MARGIN + 6, look.word or alert.key, role, bold=firing, width=10)
    x = MARGIN + 17
    if line.width >= _WIDE:
        at_ms = alert.fired_ms if alert.fired_ms is not None else alert.since_ms
        x = line.put(x, formats.hour_minute(at_ms, snapshot.utc_offset_s), "quiet") + 1
    line.put(x, gpus_of(alert, snapshot), width=gpus)
    x += gpus + 2
    right = line.width - MARGIN
    costs = alert.usd_per_day.value is not None or alert.usd_so_far.value is not None
    text = "; ".join((*alert.marks, alert.text))
    line.put(x, shorten(text, right - x - (_MONEY + 1 if costs or not with_day else 0)))
    if costs or not with_day:
        sign = formats.currency_sign(snapshot.currency)
        role = "waste" if firing else "quiet"
        day = formats.figure(alert.usd_per_day, lambda value: formats.money(value, sign))
        known = alert.usd_per_day.value is not None
        unit = "/day" if with_day and known else ""
        of = FigurePath("alert", "usd_per_day", alert.key)
        line.put(right - _MONEY, day + unit, role if known else "faint", width=_MONEY - 10, right=True, of=of)
        so_far = formats.figure(alert.usd_so_far, lambda value: formats.money(value, sign))
        known = alert.usd_so_far.value is not None
        of = FigurePath("alert", "usd_so_far", alert.key)
        line.put(right - 9, so_far, role if known else "faint", bold=firing and known, width=9, right=True, of=of)
