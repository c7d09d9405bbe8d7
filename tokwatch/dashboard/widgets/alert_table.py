"""The alert table: heading, alerts in sections, closing row. Of the three Canvases the rows scroll."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, shorten
from tokwatch.dashboard.columns import MARGIN, Column, Columns, Place
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.alert_entries import Fault, gpus_of
from tokwatch.dashboard.widgets.alert_rows import Row, Section, rows_of, subject_of
from tokwatch.dashboard.widgets.alert_words import mute_name, mute_subject, name_of, rule_time, say_of, when
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.cursor_rows import CursorRows
from tokwatch.dashboard.widgets.gpu_row import put_rule
from tokwatch.feeds.questions.alert_past import AlertsAround
from tokwatch.ledger.alert_rows import AT_WORK
from tokwatch.ledger.alert_sums import alert_sums
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.alerts.rules import StateRule
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.snapshot import AlertRow, Snapshot

COLUMNS: Final = Columns(
    (
        Column("alert", 2, 15, 14, 24, 0),  # a glyph, a blank, a word
        Column("severity", 2, 8, 8, 8, 96),
        Column("since", 2, 6, 6, 6, 0),
        Column("for", 2, 6, 6, 6, 90),
        Column("gpus", 2, 8, 8, 16, 0),
        Column("text", 2, 20, 4, 400, 0),
        Column("hour", 2, 7, 7, 7, 118),
        Column("day", 2, 8, 8, 8, 108),
        Column("so_far", 2, 8, 8, 8, 0),
    ),
    gives_way=("text",),
    grows=("text",),
    stays=("severity", "since", "for", "gpus", "text", "hour", "day", "so_far"),
)
_HEADINGS = {
    "alert": "ALERT",
    "severity": "SEVERITY",
    "since": "SINCE",
    "for": "FOR",
    "gpus": "WHERE",
    "text": "WHAT",
    "hour": "AN HOUR",
    "day": "A DAY",
    "so_far": "SO FAR",
}
_LEFT = ("alert", "severity", "since", "gpus", "text")
_MONEY = (("hour", "usd_per_hour"), ("day", "usd_per_day"), ("so_far", "usd_so_far"))
_GLYPH = 2


@lru_cache(maxsize=16)  # every row asks
def _places(width: int) -> Mapping[str, Place]:
    return COLUMNS.places(width)


class AlertHeading(Canvas):
    """Names of the columns, and a rule."""

    def draw(self, rows: range) -> list[Line]:
        line, rule = Line(self.size.width, self.look), Line(self.size.width, self.look)
        for key, place in _places(self.size.width).items():
            x = place.x + (_GLYPH if key == "alert" else 0)
            line.put(x, _HEADINGS[key], "quiet", width=place.end - x, right=key not in _LEFT)
        put_rule(rule)
        return [line, rule]


class AlertTable(CursorRows):
    """`around` is what the past adds to the Snapshot; take it with `take`."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.around = AlertsAround()
        self._made_of: tuple[Snapshot | None, AlertsAround] | None = None
        self._rows: tuple[Row, ...] = ()

    def take(self, around: AlertsAround) -> None:
        """The past's answer."""
        self.around = around
        self.redraw()

    def rows_of(self, frame: Frame) -> int:
        """How many rows a frame needs, before it is shown."""
        return max(1, len(rows_of(frame.snapshot, self.around))) if frame.snapshot else 1

    def subjects(self) -> Sequence[Hashable | None]:
        return [subject_of(row) for row in self._all()]

    @property
    def entry(self) -> Row:
        """What is under the cursor; None where there is nothing."""
        cursor = self.cursor
        return None if cursor is None else self._all()[cursor]

    def _all(self) -> tuple[Row, ...]:
        made_of = self.frame.snapshot, self.around
        if self._made_of is None or self._made_of[0] is not made_of[0] or self._made_of[1] is not made_of[1]:
            self._made_of = made_of
            self._rows = rows_of(made_of[0], self.around) if made_of[0] else ()
        return self._rows

    def draw_empty(self, line: Line) -> None:
        line.put(MARGIN + 2, f"{glyphs.ABSENT} {self.frame.starting}", "quiet")

    def draw_row(self, line: Line, number: int) -> None:
        snapshot, row = self.frame.snapshot, self._all()[number]
        assert snapshot is not None  # there are no rows before one
        places = _places(self.app.size.width)  # a scroll bar stands in the margin and moves no column
        match row:
            case Section():
                x = line.put(MARGIN + 2, row.name, bold=True)
                line.put(x + 2, row.about, "faint", width=max(0, line.width - MARGIN - x - 2))
            case AlertRow():
                _put_alert(line, places, row, snapshot)
            case Fault() | str():
                _put_trouble(line, places, row, snapshot)
            case Mute():
                _put_mute(line, places, row, snapshot)
            case StateRule():
                _put_rule_of_state(line, places, row)


class AlertClosing(Canvas):
    """A rule, and what all that fires wastes."""

    def draw(self, rows: range) -> list[Line]:
        rule, line = Line(self.size.width, self.look), Line(self.size.width, self.look)
        put_rule(rule)
        snapshot = self.frame.snapshot
        if snapshot is None:
            return [rule, line]
        places, sums = _places(self.size.width), alert_sums(snapshot.alerts)
        line.put(places["alert"].x + _GLYPH, f"{sums.firing} firing", "quiet")
        for key, field in _MONEY if sums.firing else ():
            if key in places:
                _put_money(line, places[key], getattr(sums, field), snapshot, "waste", bold=True, of=None)
        return [rule, line]


def _put_alert(line: Line, places: Mapping[str, Place], alert: AlertRow, snapshot: Snapshot) -> None:
    firing, look = alert.status == "firing", glyphs.look_of_state(alert.state)
    told = firing and alert.leaves
    strong = look.role if look.role in ("waste", "alarm") else "alarm" if alert.severity == "critical" else "text"
    glyph = look.glyph if alert.state else glyphs.WARNING
    _put_name(line, places, glyph, name_of(alert), strong if told else "quiet", bold=told)
    if "severity" in places:
        role = "quiet" if not told or alert.severity == "info" else "text"
        line.put(places["severity"].x, alert.severity, role, bold=told and alert.severity == "critical")
    line.put(places["since"].x, when(alert.since_ms, snapshot), "quiet")
    if "for" in places:
        until = snapshot.tick_ms if alert.cleared_ms is None else alert.cleared_ms
        length = formats.duration((until - alert.since_ms) / 1000, places["for"].width)
        line.put(places["for"].x, length, "text" if told else "quiet", width=places["for"].width, right=True)
    line.put(places["gpus"].x, gpus_of(alert, snapshot), "text" if firing else "quiet", width=places["gpus"].width)
    costs = AT_WORK not in (alert.usd_per_hour.why, alert.usd_so_far.why)  # else its words take the room
    text_end = places["text"].end if costs else places["so_far"].x - 2
    line.put(
        places["text"].x,
        shorten(say_of(alert, snapshot), text_end - places["text"].x),
        "text" if told else "quiet",
    )
    for key, field in _MONEY:
        if key in places and (costs or key == "so_far"):
            path = None if alert.status in ("resolved", "pending") else FigurePath("alert", field, alert.key)
            role = "waste" if told else "quiet"
            _put_money(line, places[key], getattr(alert, field), snapshot, role, bold=told and key == "so_far", of=path)


def _put_trouble(line: Line, places: Mapping[str, Place], trouble: str | Fault, snapshot: Snapshot) -> None:
    """The recorder's own, or a device's."""
    if isinstance(trouble, str):
        _put_name(line, places, glyphs.FAILED, "tokwatch", "alarm", bold=True)
        line.put(places["gpus"].x, trouble, width=line.width - MARGIN - places["gpus"].x)
        return
    _put_name(line, places, glyphs.WARNING, "fault", "alarm", bold=True)
    if trouble.warning.at_ms is None:
        line.put(places["since"].x, glyphs.ABSENT, "faint")
    else:
        line.put(places["since"].x, when(trouble.warning.at_ms, snapshot), "quiet")
    line.put(places["gpus"].x, gpus_of(trouble, snapshot), width=places["gpus"].width)
    line.put(places["text"].x, shorten(trouble.warning.text, line.width - MARGIN - places["text"].x))


def _put_mute(line: Line, places: Mapping[str, Place], mute: Mute, snapshot: Snapshot) -> None:
    _put_name(line, places, glyphs.PAUSED, mute_name(mute), "quiet", bold=False)
    line.put(places["since"].x, when(mute.made_ms, snapshot), "quiet")
    line.put(places["gpus"].x, mute_subject(mute, snapshot), "quiet", width=places["gpus"].width)
    words = f"until {when(mute.until_ms, snapshot)}: {mute.reason}"
    line.put(places["text"].x, words, "quiet", width=line.width - MARGIN - places["text"].x)


def _put_rule_of_state(line: Line, places: Mapping[str, Place], rule: StateRule) -> None:
    look = glyphs.look_of_state(state_name(rule.state))
    _put_name(line, places, look.glyph, look.word, "quiet", bold=False)
    if "severity" in places:
        line.put(places["severity"].x, rule.severity, "quiet")
    x = places["since"].x
    line.put(x, f"after {rule_time(rule.fire_after_s)}", "quiet", width=places["gpus"].end - x)
    line.put(places["text"].x, rule.text, "quiet", width=line.width - MARGIN - places["text"].x)


def _put_name(line: Line, places: Mapping[str, Place], glyph: str, word: str, role: str, *, bold: bool) -> None:
    place = places["alert"]
    line.put(place.x, glyph, role)
    line.put(place.x + _GLYPH, word, role, bold=bold, width=place.width - _GLYPH)


def _put_money(
    line: Line, place: Place, figure: Figure, snapshot: Snapshot, role: str, *, bold: bool, of: FigurePath | None
) -> None:
    sign = formats.currency_sign(snapshot.currency)
    known = figure.value is not None
    text = formats.figure(figure, lambda value: formats.money(value, sign))
    x = min(place.x, place.end - len(text))
    line.put(x, text, role if known else "faint", bold=bold and known, width=place.end - x, right=True, of=of)
