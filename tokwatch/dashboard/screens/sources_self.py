"""What tokwatch itself costs: its recorder by the Snapshot, the terminal by this dashboard, the store by its file."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.widgets.document import Page
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import Figure
from tokwatch.ledger.store_size import StoreSize

_NAME, _TEXT = 14, 38  # columns


def write_self_cost(page: Page, frame: Frame, stored: StoreSize | None) -> None:
    """A line a cost. stored: None before the store was asked."""
    snapshot = frame.snapshot
    if snapshot is None:
        return
    cost = snapshot.self_cost
    page.heading("TOKWATCH ITSELF")
    for label, text, unit, field in (
        ("CPU", formats.figure(cost.cpu_share, lambda share: f"{share * 100:.1f}"), "% of one core", "cpu_share"),
        ("memory", formats.figure(cost.rss_mib, formats.count), "MiB", "rss_mib"),
        ("reads from servers", formats.figure(cost.scraped_bytes_s, formats.short), "bytes/s", "scraped_bytes_s"),
        ("ticks left out", formats.figure(cost.late_ticks, formats.count), "in the last minute", "late_ticks"),
    ):
        line = page.line()
        line.put(_NAME, label, "quiet")
        x = line.put(_TEXT, text, of=FigurePath("self_cost", field))
        line.put(x + 1, unit, "quiet")
    written = Figure(frame.terminal_bytes_s)
    for label, words in (
        ("writes to this terminal", f"{formats.figure(written, formats.short)} bytes/s"),
        ("stores", _store(stored)),
        ("price in force", snapshot.price or "none; $ sets one"),
    ):
        line = page.line()
        line.put(_NAME, label, "quiet")
        page.beside(line, _TEXT, words, "text")


def _store(stored: StoreSize | None) -> str:
    if stored is None:
        return f"{glyphs.ABSENT} bytes a day"
    size = f"{formats.short(stored.used_bytes)} bytes for {formats.duration(stored.recorded_s)} recorded"
    a_day = stored.bytes_a_day
    return f"{formats.figure(a_day, formats.short)} bytes a day{f' ({a_day.why})' if a_day.why else ''}, {size}"
