"""Sources: every probe, every server and its metrics, what watching costs; with nothing found, what to do next."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.dashboard.widgets.footer import Footer
from tokwatch.dashboard.widgets.header import Header
from tokwatch.ledger.snapshot import ServerRow, Snapshot

KEYS = (("?", "help"), ("d", "demo"), ("↑↓", "scroll"), ("t", "theme"), ("q", "quit"))
_GLYPH, _VERDICT, _NAME, _TEXT = 4, 6, 14, 46  # columns
_KEY_TEXT = 22
_NARROW_BY = 8  # how much earlier the text begins on a narrow terminal


class SourcesScreen(FrameScreen):
    """One long page."""

    BINDINGS = [
        Binding("d", "app.demo", "Start the demo"),
        Binding("down,j", "scroll(1)", "Down"),
        Binding("up,k", "scroll(-1)", "Up"),
        Binding("pagedown", "scroll(10)", "Ten lines down"),
        Binding("pageup", "scroll(-10)", "Ten lines up"),
        Binding("escape", "app.show_fleet", "Back to Fleet"),
    ]

    def compose(self) -> ComposeResult:
        look = self.tokwatch.look
        yield Header(look)
        yield SourcesPage(look)
        yield Footer(look, "Sources", KEYS)

    def action_scroll(self, by: int) -> None:
        self.query_one(SourcesPage).scroll(by)


class SourcesPage(Document):
    """The text of the screen."""

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            page.text(1, f"{glyphs.ABSENT} {self.frame.starting}")
            return
        if not snapshot.gpus and not snapshot.servers:
            _write_nothing_found(page)
        for problem in snapshot.problems:
            line = page.line()
            line.put(_GLYPH, glyphs.FAILED, "alarm")
            page.beside(line, _NAME, problem, "alarm")
        narrow = _NARROW_BY if self.size.width < 100 else 0
        _write_probes(page, snapshot, narrow)
        if snapshot.servers:
            _write_servers(page, snapshot, narrow)
        _write_self_cost(page, snapshot, narrow)


def _write_nothing_found(page: Page) -> None:
    page.heading("NOTHING FOUND YET")
    page.text(
        1,
        "No GPU and no inference server was found here. tokwatch goes on looking; below is where it looked.",
        "text",
    )
    page.line()
    for key, text in (
        ("d", "see it at work: start the demo, a simulated box"),
        ("config.toml", 'name a server that was not found: [[servers]] with url = "http://host:8000/metrics"'),
        ("tokwatch doctor", "these checks as text, and what to do about each"),
    ):
        line = page.line()
        line.put(_GLYPH, key, "ui", bold=True)
        page.beside(line, _KEY_TEXT, text)


def _write_probes(page: Page, snapshot: Snapshot, narrow: int) -> None:
    failed = sum(not probe.ok for probe in snapshot.probes)
    page.heading(
        "WHERE TOKWATCH LOOKED",
        f"{len(snapshot.probes)} probes, {failed} failed" if failed else f"{len(snapshot.probes)} probes",
    )
    for probe in snapshot.probes:
        line = page.line()
        line.put(_GLYPH, glyphs.OK if probe.ok else glyphs.FAILED, "work" if probe.ok else "text")
        line.put(_VERDICT, "ok" if probe.ok else "failed", "quiet" if probe.ok else "text", bold=not probe.ok)
        line.put(_NAME, probe.name, width=_TEXT - narrow - _NAME - 1)
        page.beside(
            line, _TEXT - narrow, probe.found or ("" if probe.hint else glyphs.ABSENT), "text" if probe.ok else "quiet"
        )
        if probe.hint:
            page.text(_TEXT - narrow, f"→ {probe.hint}", "ui")


def _write_servers(page: Page, snapshot: Snapshot, narrow: int) -> None:
    up = sum(server.up for server in snapshot.servers)
    page.heading("SERVERS", f"{up} of {len(snapshot.servers)} answer")
    for number, server in enumerate(snapshot.servers):
        if number:
            page.line()
        line = page.line()
        line.put(_GLYPH, glyphs.OK if server.up else glyphs.FAILED, "work" if server.up else "alarm")
        line.put(_VERDICT, "up" if server.up else "down", "text" if server.up else "alarm", bold=not server.up)
        line.put(_NAME, server.address, bold=True, width=_TEXT - narrow - _NAME - 1)
        page.beside(line, _TEXT - narrow, f"{formats.engine(server.engine)}  {server.model}", "text")
        for label, text, role in _server_facts(server):
            line = page.line()
            line.put(_NAME, label, "quiet")
            page.beside(line, _TEXT - narrow, text, role)


def _server_facts(server: ServerRow) -> list[tuple[str, str, str]]:
    facts: list[tuple[str, str, str]] = []
    if server.problem:
        facts.append(("problem", server.problem, "alarm"))
    if not server.verified:
        facts.append(
            ("owner", f"{server.owner}: another user's, not in the money until accepted in the configuration", "waste")
        )
    elif server.owner:
        facts.append(("owner", server.owner, "quiet"))
    if server.gpus:
        facts.append(("gpus", formats.indices(server.gpus), "text"))
    if server.used:
        facts.append(("reads", ", ".join(server.used), "quiet"))
    facts.extend(("missing", f"{role}: {lost}", "text") for role, lost in server.missing)
    if server.moves == "at end":
        facts.append(("note", "counts tokens when a request ends, so its rate moves in steps", "quiet"))
    return facts


def _write_self_cost(page: Page, snapshot: Snapshot, narrow: int) -> None:
    cost = snapshot.self_cost
    page.heading("TOKWATCH ITSELF")
    for label, text in (
        ("CPU", f"{formats.figure(cost.cpu_share, lambda share: f'{share * 100:.1f}')} % of one core"),
        ("memory", f"{formats.figure(cost.rss_mib, formats.count)} MiB"),
        ("reads from servers", f"{formats.figure(cost.scraped_bytes_s, formats.short)} bytes/s"),
        ("price in force", snapshot.price or "none; $ sets one"),
    ):
        line = page.line()
        line.put(_NAME, label, "quiet")
        page.beside(line, _TEXT - narrow, text, "text")
