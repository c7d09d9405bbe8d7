"""Sources of the fleet: what was asked and what it took, what was found, and which hosts are in trouble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.fleet.host_fields import skew
from tokwatch.dashboard.fleet.screens.page import FleetDocument, FleetPageScreen
from tokwatch.dashboard.fleet.widgets.host_row import SKEWED_S
from tokwatch.dashboard.widgets.document import Page
from tokwatch.ledger.fleet.snapshot import FleetSnapshot, HostRow

_GLYPH, _VERDICT, _NAME, _TEXT = 4, 6, 14, 34  # columns
_MOST: Final = 200  # hosts in trouble that are listed
_WORST_FIRST: Final = ("down", "stale", "problem", "clock")


class FleetSourcesPage(FleetDocument):
    """The text of the screen."""

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            page.text(1, f"{glyphs.ABSENT} {self.frame.starting}")
            return
        _write_wrong(page, snapshot)
        _write_asked(page, snapshot, self.frame.terminal_bytes_s)
        _write_found(page, snapshot)
        _write_troubles(page, snapshot)


class FleetSourcesScreen(FleetPageScreen):
    """One long page."""

    PAGE, TAB = FleetSourcesPage, "Sources"
    KEYS = (("?", "help"), ("↑↓", "scroll"), ("space", "pause"), ("←→", "time"), ("t", "theme"), ("q", "quit"))


def _write_wrong(page: Page, snapshot: FleetSnapshot) -> None:
    if not (snapshot.problems or snapshot.warnings or snapshot.notices):
        return
    page.heading("WRONG WITH THIS ANSWER")
    for glyph, role, name, texts in (
        (glyphs.FAILED, "alarm", "problem", snapshot.problems),
        (glyphs.WARNING, "waste", "partial", snapshot.warnings),
        (glyphs.WARNING, "waste", "notice", snapshot.notices),
    ):
        for text in texts:
            line = page.line()
            line.put(_GLYPH, glyph, role)
            line.put(_VERDICT, name, role)
            page.beside(line, _NAME, text, role)


def _write_asked(page: Page, snapshot: FleetSnapshot, terminal_bytes_s: float | None) -> None:
    cost = snapshot.cost
    page.heading("WHAT IS ASKED", snapshot.source)
    page.fact("every", f"{snapshot.interval_s:g} s, figures over {snapshot.window_s:g} s")
    if cost.queries:
        took = f"{cost.queries} queries, {formats.short(cost.bytes)}B, {cost.took_ms} ms, {cost.cpu_ms} ms of CPU"
        page.fact("last look", took)
    share = snapshot.cpu_share
    page.fact(
        "tokwatch",
        f"{formats.figure(share, formats.percent_tenths)} % of a core" if share.value is not None else share.why,
    )
    if terminal_bytes_s is not None:
        page.fact("terminal", f"{formats.short(terminal_bytes_s)}B/s")
    page.fact("price", snapshot.price or "none set: [prices] in config.toml")


def _write_found(page: Page, snapshot: FleetSnapshot) -> None:
    if not snapshot.notes:
        return
    failed = sum(not note.ok for note in snapshot.notes)
    page.heading("WHAT WAS FOUND", f"{failed} of {len(snapshot.notes)} failed" if failed else "")
    for note in snapshot.notes:
        line = page.line()
        line.put(_GLYPH, glyphs.OK if note.ok else glyphs.FAILED, "work" if note.ok else "text")
        line.put(_VERDICT, "ok" if note.ok else "failed", "quiet" if note.ok else "text", bold=not note.ok)
        line.put(_NAME, note.name, width=_TEXT - _NAME - 1)
        page.beside(line, _TEXT, note.found or glyphs.ABSENT, "text" if note.ok else "quiet")
        if note.hint:
            page.text(_TEXT, f"→ {note.hint}", "ui")


def troubles(row: HostRow) -> Iterator[tuple[str, str]]:
    """(what, in words) of a host."""
    if not row.up:
        yield "down", f"for {formats.duration(row.age_s)}: {row.problem or 'does not answer'}"
    elif row.stale:
        yield "stale", f"its newest sample is {formats.duration(row.age_s)} old"
    if row.up and row.problem:
        yield "problem", row.problem
    if row.clock_skew_s is not None and abs(row.clock_skew_s) >= SKEWED_S:
        yield "clock", f"{skew(row.clock_skew_s)} s off: what it says is placed by its own clock; is NTP running there?"


def _write_troubles(page: Page, snapshot: FleetSnapshot) -> None:
    found = [(row, *trouble) for row in snapshot.hosts for trouble in troubles(row)]
    found.sort(key=lambda each: _WORST_FIRST.index(each[1]))
    page.heading("HOSTS IN TROUBLE", str(len({row.key for row, *_ in found})) if found else "none")
    for row, what, text in found[:_MOST]:
        line = page.line()
        line.put(_GLYPH, glyphs.FAILED if what == "down" else glyphs.WARNING, "alarm" if what == "down" else "waste")
        line.put(_VERDICT, what, "text", width=_NAME - _VERDICT)
        line.put(_NAME, row.label, width=_TEXT - _NAME - 1)
        page.beside(line, _TEXT, text, "quiet")
    if len(found) > _MOST:
        page.text(_NAME, f"and {len(found) - _MOST} more: on Hosts, / state:down,stale")
