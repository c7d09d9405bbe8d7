"""Sources: every probe, GPU and server and what is read of it, what watching costs; with nothing found, what to do."""

from __future__ import annotations

from textual.binding import Binding

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.screens.page import SCROLLING, PageScreen
from tokwatch.dashboard.screens.sources_gpus import write_gpus
from tokwatch.dashboard.screens.sources_self import write_self_cost
from tokwatch.dashboard.screens.sources_servers import write_servers
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.feeds.questions.stored_size import StoredSize
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.store_size import StoreSize

KEYS = (("?", "help"), ("d", "demo"), ("↑↓", "scroll"), ("t", "theme"), ("q", "quit"))
_GLYPH, _VERDICT, _NAME, _TEXT = 4, 6, 14, 38  # columns
_KEY_TEXT = 22
_SIZE_EVERY_S = 60.0


class SourcesPage(Document):
    """The text of the screen."""

    stored: StoreSize | None = None

    def write(self, page: Page) -> None:
        snapshot = self.frame.snapshot
        if snapshot is None:
            page.text(1, f"{glyphs.ABSENT} {self.frame.starting}")
            return
        if snapshot.nothing_found:
            _write_nothing_found(page)
        for problem in snapshot.problems:
            line = page.line()
            line.put(_GLYPH, glyphs.FAILED, "alarm")
            page.beside(line, _NAME, problem, "alarm")
        _write_probes(page, snapshot)
        if snapshot.gpus:
            write_gpus(page, snapshot)
        if snapshot.servers:
            write_servers(page, snapshot)
        write_self_cost(page, self.frame, self.stored)

    def take(self, stored: StoreSize) -> None:
        """What the store has grown to."""
        self.stored = stored
        self.rewrite()


class SourcesScreen(PageScreen):
    """One long page."""

    BINDINGS = [Binding("d", "app.demo", "Start the demo"), *SCROLLING]
    PAGE, TAB, KEYS = SourcesPage, "Sources", KEYS

    def on_mount(self) -> None:
        self._ask_for_size()
        self.set_interval(_SIZE_EVERY_S, self._ask_for_size)

    def _ask_for_size(self) -> None:
        self.ask(StoredSize(), self.query_one(SourcesPage).take, group="size")


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


def _write_probes(page: Page, snapshot: Snapshot) -> None:
    failed = sum(not probe.ok for probe in snapshot.probes)
    tried = f"{len(snapshot.probes)} probe{'' if len(snapshot.probes) == 1 else 's'}"
    page.heading("WHERE TOKWATCH LOOKED", f"{tried}, {failed} failed" if failed else tried)
    for probe in snapshot.probes:
        line = page.line()
        line.put(_GLYPH, glyphs.OK if probe.ok else glyphs.FAILED, "work" if probe.ok else "text")
        line.put(_VERDICT, "ok" if probe.ok else "failed", "quiet" if probe.ok else "text", bold=not probe.ok)
        line.put(_NAME, probe.name, width=_TEXT - _NAME - 1)
        page.beside(line, _TEXT, probe.found or ("" if probe.hint else glyphs.ABSENT), "text" if probe.ok else "quiet")
        if probe.hint:
            page.text(_TEXT, f"→ {probe.hint}", "ui")
