"""The THROTTLING section of the GPU screen: why its clocks were not at their highest, as shares of the last hour."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.widgets.gpu_device import put_section
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas
from tokwatch.ledger.snapshot import GpuRow
from tokwatch.ledger.throttling import Slowed


class GpuThrottling(GpuCanvas):
    """One row a reason. A power cap at full load is as it should be, so only an alert is loud."""

    reasons: Sequence[Slowed] | None = None  # None: no answer yet

    def take(self, reasons: Sequence[Slowed] | None) -> None:
        """Show these from now on; None: they were another GPU's."""
        self.reasons = reasons
        self.redraw()

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        if self.row is None or height < 3:
            return lines
        put_section(lines, "THROTTLING", "share of last hour")
        if not self.reasons:
            lines[2].put(0, self._why_not(self.row), "quiet")
            return lines
        for line, reason in zip(lines[2:], in_order(self.reasons), strict=False):
            glyph, role = _look(reason)
            line.put(0, glyph, role)
            line.put(2, reason.words, "quiet" if not reason.share else "alarm" if reason.alert else "text")
            share = f"{reason.share * 100:.1f}" if reason.share else "0"
            line.put(width - 2 - len(share), share, "text" if reason.share else "quiet")
            line.put(width - 1, "%", "quiet")
        return lines

    def _why_not(self, row: GpuRow) -> str:
        if self.reasons is None:
            return "reading the past"
        return f"{glyphs.ABSENT} " + (
            "nothing recorded yet" if row.throttle is not None else f"not told by {row.meter}"
        )


def in_order(reasons: Sequence[Slowed]) -> list[Slowed]:
    """Alerts that were there, then the others by their share."""
    return sorted(reasons, key=lambda reason: (not (reason.alert and reason.share), -reason.share))


def _look(reason: Slowed) -> tuple[str, str]:
    if not reason.share:
        return glyphs.UNWATCHED, "faint"
    return (glyphs.WARNING, "alarm") if reason.alert else (glyphs.OK, "s2")
