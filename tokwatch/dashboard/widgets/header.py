"""Header: where am I (host, hardware, engines) and what time is it (live, replay, recording, clock)."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, fit, to_cells
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas

_BADGES = {"simulated": "SIMULATED", "imported": "IMPORTED"}
_GAP = 3
_HOST_CELLS = 24

Piece = tuple[str, str, bool]  # text, role, bold
Group = tuple[Piece, ...]


class Header(Horizontal):
    """One row. The clock is a widget of its own, so that a second costs the bytes of a clock."""

    DEFAULT_CSS = """
    Header { height: 1; }
    Header > Heading { width: 1fr; }
    Header > Clock { width: 9; }
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def compose(self) -> ComposeResult:
        yield Heading(self._look)
        yield Clock(self._look)


class Clock(Canvas):
    """What time it is on screen, on the clock of the recording host."""

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look, ground="surface")
        if snapshot := self.frame.snapshot:
            line.put(0, formats.clock(snapshot.wall_ms, snapshot.utc_offset_s))
        return [line]


class Heading(Canvas):
    """Groups that do not fit are left out, the least telling first; name, badge and mode always stay."""

    def draw(self, rows: range) -> list[Line]:
        return [draw_heading(self.frame, self.size.width, self.look)[0]]


def draw_heading(frame: Frame, width: int, look: Look) -> tuple[Line, range]:
    """The row, and the columns of it that say how new it is."""
    return put_heading(width, look, _where(frame), _badges(frame), _when(frame), instead=_how_many(frame))


def put_heading(
    width: int,
    look: Look,
    where: Sequence[Group],
    badges: Sequence[str],
    when: Sequence[Group],
    instead: Sequence[Group],
) -> tuple[Line, range]:
    """The row, and the columns of `when`. The first groups and the badges always stand; `instead`, in fewer words,
    where not all of `where` does."""
    line = Line(width, look, ground="surface")
    name, *left = where
    mode, *right = when
    room = width - 1 - _GAP - _GAP
    room -= _width((name,)) + _width((mode,)) + sum(len(to_cells(badge)) + 4 for badge in badges)

    def fitting(groups: Sequence[Group]) -> tuple[Group, ...]:
        nonlocal room
        kept: list[Group] = []
        for group in groups:
            if (cost := _GAP + _width((group,))) > room:
                break
            room -= cost
            kept.append(group)
        return tuple(kept)

    more_right = fitting(right)
    more_left = fitting(left)
    if len(more_left) < len(left):
        more_left += fitting(instead)
    x = _put_groups(line, 1, (name, *more_left))
    for badge in badges:
        line.paint(x + 2, len(to_cells(badge)) + 2, "ui_tint")
        x = line.put(x + 3, badge, "ui", bold=True) + 1
    shown = (mode, *more_right)
    begin = width - _GAP - _width(shown)
    _put_groups(line, begin, shown)
    return line, range(begin, width - _GAP)


def _badges(frame: Frame) -> list[str]:
    snapshot = frame.snapshot
    if snapshot is None:
        return []
    supposed = None if frame.live or frame.what_if is None else frame.what_if
    what_if = (
        "" if supposed is None else f"WHAT IF {formats.money(supposed, formats.currency_sign(snapshot.currency))}/h"
    )
    return [badge for badge in (_BADGES.get(snapshot.kind, ""), what_if) if badge]


def _where(frame: Frame) -> tuple[Group, ...]:
    snapshot = frame.snapshot
    name: Piece = ("tokwatch", "bright", True)
    if snapshot is None:
        return ((name,),)
    host = "".join(fit(to_cells(snapshot.host), _HOST_CELLS))
    groups: list[Group] = [(name, (f"  {host}", "text", True))]
    if snapshot.hardware:
        groups.append(((snapshot.hardware, "quiet", False),))
    if snapshot.engines:
        engines = "  ".join(f"{formats.engine(engine)} ×{servers}" for engine, servers in snapshot.engines)
        groups.append(((engines, "quiet", False),))
    return tuple(groups)


def _how_many(frame: Frame) -> list[Group]:
    """All engines in few words."""
    servers = sum(servers for _, servers in frame.snapshot.engines) if frame.snapshot else 0
    return [((f"{servers} server{'s' if servers > 1 else ''}", "quiet", False),)] if servers else []


def _when(frame: Frame) -> tuple[Group, ...]:
    snapshot = frame.snapshot
    if snapshot is None:
        return (((f"{glyphs.ABSENT} {frame.starting}", "quiet", False),),)
    groups = [_mode(frame)]
    behind_s = frame.behind_s
    if behind_s is not None:
        behind = f"{formats.duration(behind_s)} behind" if behind_s >= 60 else "under 1m behind"
        groups.append(((behind, "quiet", False),))
    elif not frame.kept and snapshot.kind == "recorded" and snapshot.recorded_s > 0:
        groups.append(
            ((glyphs.LIVE, "alarm", False), (f" rec {formats.stopwatch(snapshot.recorded_s)}", "quiet", False))
        )
    return tuple(groups)


def _mode(frame: Frame) -> Group:
    snapshot = frame.snapshot
    assert snapshot is not None
    age = formats.duration(frame.age_s) if frame.age_s is not None else ""
    if frame.kept:
        return (("◌", "ui", False), (f" {age} old, warming up", "quiet", False))
    if snapshot.mode == "paused":
        return ((f"{glyphs.PAUSED} PAUSED", "ui", True),)
    if snapshot.mode == "replay":
        return ((f"{glyphs.REPLAY} REPLAY", "ui", True), (f" {frame.speed:g}×", "ui", False))
    if age:
        return ((f"{glyphs.FAILED} NO DATA", "alarm", True), (f" for {age}", "alarm", False))
    return (
        (glyphs.LIVE, "work", False),
        (" LIVE", "work", True),
        (f" {snapshot.interval_s:g} s", "quiet", False),
    )


def _width(groups: tuple[Group, ...]) -> int:
    texts = (sum(len(to_cells(text)) for text, _, _ in group) for group in groups)
    return sum(texts) + _GAP * max(0, len(groups) - 1)


def _put_groups(line: Line, x: int, groups: tuple[Group, ...]) -> int:
    for number, group in enumerate(groups):
        x += _GAP if number else 0
        for text, role, bold in group:
            x = line.put(x, text, role, bold=bold)
    return x
