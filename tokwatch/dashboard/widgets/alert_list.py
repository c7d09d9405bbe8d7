"""Alert list: what needs attention, with what it costs a day and has cost so far; the recorder's own troubles first."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.gpu_list import put_rule
from tokwatch.ledger.snapshot import AlertRow, Snapshot

_WIDE = 100  # from here on with the time it fired
_MONEY = 22  # a day and so far, right-aligned


def alert_count(snapshot: Snapshot | None) -> int:
    """How many lines the list would like to have."""
    return len(snapshot.alerts) + len(snapshot.problems) if snapshot else 0


class AlertList(Canvas):
    """With a heading where there is room, else lines alone. What does not fit is counted in the last line."""

    heading = False

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        snapshot = self.frame.snapshot
        if snapshot is None or not height:
            return lines
        body = lines[2:] if self.heading else lines
        if self.heading:
            _put_heading(lines[0], snapshot)
            put_rule(lines[1])
        entries: list[str | AlertRow] = [*snapshot.problems, *snapshot.alerts]
        gpus = max((len(_gpus(alert)) for alert in snapshot.alerts), default=0)
        for line, entry in zip(body, entries, strict=False):
            if isinstance(entry, str):
                line.put(MARGIN + 3, glyphs.FAILED, "alarm")
                x = line.put(MARGIN + 6, "tokwatch", "alarm", bold=True) + 2
                line.put(x, entry, width=width - MARGIN - x - 1)
            else:
                _put_alert(line, entry, snapshot, min(gpus, width // 5), with_day=not self.heading)
        hidden = len(entries) - len(body)
        if hidden > 0 and body:
            more = f"  and {hidden} more"
            body[-1].put(width - MARGIN - 1 - len(more), more, "quiet")
        return lines


def _put_heading(line: Line, snapshot: Snapshot) -> None:
    x = line.put(MARGIN, "ALERTS", bold=True)
    firing = sum(alert.status == "firing" for alert in snapshot.alerts)
    line.put(x + 2, f"{firing} firing", "quiet")
    right = line.width - MARGIN - 1
    line.put(right - _MONEY, "A DAY", "quiet", width=_MONEY - 10, right=True)
    line.put(right - 9, "SO FAR", "quiet", width=9, right=True)


def _put_alert(line: Line, alert: AlertRow, snapshot: Snapshot, gpus: int, *, with_day: bool) -> None:
    look = glyphs.look_of_state(alert.state)
    firing = alert.status == "firing"
    role = look.role if firing and look.role in ("waste", "alarm") else "text" if firing else "quiet"
    line.put(MARGIN + 3, look.glyph, look.role if firing else "quiet")
    line.put(MARGIN + 6, look.word, role, bold=firing, width=10)
    x = MARGIN + 17
    if line.width >= _WIDE:
        at_ms = alert.fired_ms if alert.fired_ms is not None else alert.since_ms
        x = line.put(x, formats.hour_minute(at_ms, snapshot.utc_offset_s), "quiet") + 1
    line.put(x, _gpus(alert), width=gpus)
    x += gpus + 2
    right = line.width - MARGIN - 1
    costs = alert.usd_per_day.value is not None or alert.usd_so_far.value is not None
    line.put(x, alert.text, width=right - x - (_MONEY + 1 if costs or not with_day else 0))
    if costs or not with_day:
        sign = formats.currency_sign(snapshot.currency)
        role = "waste" if firing else "quiet"
        day = formats.figure(alert.usd_per_day, lambda value: formats.money(value, sign))
        known = alert.usd_per_day.value is not None
        unit = "/day" if with_day and known else ""
        line.put(right - _MONEY, day + unit, role if known else "faint", width=_MONEY - 10, right=True)
        so_far = formats.figure(alert.usd_so_far, lambda value: formats.money(value, sign))
        known = alert.usd_so_far.value is not None
        line.put(right - 9, so_far, role if known else "faint", bold=firing and known, width=9, right=True)


def _gpus(alert: AlertRow) -> str:
    return f"gpu {formats.indices(alert.gpus)}" if alert.gpus else ""
