"""Header of the fleet: how large it is and what of it is missing on the left, what time it is on the right."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.fleet.frame import FleetFrame
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.header import Group, put_heading
from tokwatch.ledger.fleet.snapshot import FleetSnapshot


class FleetHeader(Horizontal):
    """One row. The clock is a widget of its own, so that a second costs the bytes of a clock."""

    DEFAULT_CSS = """
    FleetHeader { height: 1; }
    FleetHeader > FleetHeading { width: 1fr; }
    FleetHeader > FleetClock { width: 9; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def compose(self) -> ComposeResult:
        yield FleetHeading(self._look)
        yield FleetClock(self._look)


class FleetClock(Canvas[FleetFrame]):
    """What time it is on screen."""

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look, ground="surface")
        if snapshot := self.frame.snapshot:
            line.put(0, formats.clock(snapshot.at_ms, self.frame.utc_offset_s))
        return [line]


class FleetHeading(Canvas[FleetFrame]):
    """Groups that do not fit are left out, the least telling first; name, badge and mode always stay."""

    def draw(self, rows: range) -> list[Line]:
        snapshot = self.frame.snapshot
        badges = ["SIMULATED"] if snapshot and snapshot.simulated else []
        where = _where(snapshot)
        return [put_heading(self.size.width, self.look, where, badges, _when(self.frame), instead=())[0]]


def _where(snapshot: FleetSnapshot | None) -> list[Group]:
    name: Group = (("tokwatch", "bright", True), ("  fleet", "text", True))
    if snapshot is None:
        return [name]
    total = snapshot.total
    groups: list[Group] = [name]
    if missing := _missing(snapshot):
        groups.append(missing)
    groups.append(((f"{_number(total.hosts, 'host')}  {_number(total.gpus, 'GPU')}", "quiet", False),))
    if snapshot.source and not snapshot.simulated:
        groups.append(((snapshot.source, "quiet", False),))
    return groups


def _missing(snapshot: FleetSnapshot) -> Group:
    """How many hosts do not answer, and of how many what stands here is old."""
    stale = sum(row.stale and row.up for row in snapshot.hosts)
    pieces = []
    if snapshot.total.hosts_down:
        pieces.append((f"{glyphs.FAILED} {snapshot.total.hosts_down} down", "alarm", True))
    if stale:
        pieces.append((f"{'  ' if pieces else ''}{stale} stale", "text", True))
    return tuple(pieces)


def _number(count: int, thing: str) -> str:
    return f"{formats.count(count)} {thing}{'' if count == 1 else 's'}"


def _when(frame: FleetFrame) -> list[Group]:
    snapshot = frame.snapshot
    if snapshot is None:
        return [((f"{glyphs.ABSENT} {frame.starting}", "quiet", False),)]
    if snapshot.mode == "paused":
        groups: list[Group] = [((f"{glyphs.PAUSED} PAUSED", "ui", True),)]
    elif snapshot.mode == "replay":
        groups = [((f"{glyphs.REPLAY} REPLAY", "ui", True), (f" {frame.speed:g}×", "ui", False))]
    elif snapshot.problems:
        silent = "" if frame.silent_s is None else f" for {formats.duration(frame.silent_s)}"
        groups = [((f"{glyphs.FAILED} NO ANSWER", "alarm", True), (silent, "alarm", False))]
    else:
        every = f" {snapshot.interval_s:g} s"
        groups = [((glyphs.LIVE, "work", False), (" LIVE", "work", True), (every, "quiet", False))]
    behind_s = frame.behind_s
    if behind_s is not None:
        behind = f"{formats.duration(behind_s)} behind" if behind_s >= 60 else "under 1m behind"
        groups.append(((behind, "quiet", False),))
    return groups
