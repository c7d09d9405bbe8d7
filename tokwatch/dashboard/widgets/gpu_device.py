"""The DEVICE section of the GPU screen: what the device itself tells, with thin bars; what ails it comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.layout import Place
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas
from tokwatch.dashboard.widgets.gpu_row import put_bar
from tokwatch.ledger.snapshot import Figure, GpuRow, Snapshot

_BAR_AT: Final = 11  # column
_VALUE: Final = 8  # cells of the digits, with the gap before them
_UNIT: Final = 8  # likewise: " / 700 W"
_HOTTEST_C: Final = 100.0  # where a bar of degrees is full: near where GPUs slow down


class Gauge(NamedTuple):
    """One thing that the device tells."""

    label: str
    field: str  # of GpuRow
    text: str
    unit: str
    full: float | None  # of its bar; None: it has none
    role: str = "s1"


def gauges(row: GpuRow) -> Iterator[Gauge]:
    """In the order of their worth."""
    limit, total = row.power_limit_w, row.memory_total_gib
    watts = f"/ {formats.count(limit)} W" if limit else "W"
    yield _gauge(row, "power", "power_w", formats.count, watts, limit, "s2")

    def memory(gib: float) -> str:
        return formats.gigabytes(gib, None)

    room = f"/ {formats.count(total)} GB" if total else "GB"
    yield _gauge(row, "memory", "memory_used_gib", memory, room, total)
    busy = "busy" if row.kind == "package" else "SM busy"
    yield _gauge(row, busy, "utilization", formats.percent, "%", 1.0)
    if row.kind != "package":  # processors have neither tensor cores nor a memory of their own
        yield _gauge(row, "tensor", "tensor_activity", formats.percent, "%", 1.0)
        yield _gauge(row, "DRAM", "dram_activity", formats.percent, "%", 1.0)
        yield _gauge(row, "SM clock", "sm_clock_mhz", formats.count, "MHz", None)
    yield _gauge(row, "core", "temperature_c", formats.count, "°C", _HOTTEST_C)
    if row.kind != "package":
        yield _gauge(row, "HBM", "memory_temperature_c", formats.count, "°C", _HOTTEST_C)


def _gauge(
    row: GpuRow,
    label: str,
    field: str,
    write: Callable[[float], str],
    unit: str,
    full: float | None,
    role: str = "s1",
) -> Gauge:
    return Gauge(label, field, formats.figure(getattr(row, field), write), unit, full, role)


class GpuDevice(GpuCanvas):
    """Heading, warnings, gauges."""

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        row, snapshot = self.row, self.frame.snapshot
        if row is None or snapshot is None or height < 3:
            return lines
        put_section(lines, "DEVICE", row.meter)
        told = ailment_rows(row, snapshot, width)
        for line, (text, role) in zip(lines[2:], told, strict=False):
            line.put(0, text, role)
        for line, gauge in zip(lines[2 + len(told) :], gauges(row), strict=False):
            self._put(line, gauge, getattr(row, gauge.field))
        return lines

    def _put(self, line: Line, gauge: Gauge, figure: Figure) -> None:
        line.put(0, gauge.label, "quiet")
        if figure.value is None:
            line.put(line.put(_BAR_AT, glyphs.ABSENT, "faint", of=self.path(gauge.field)) + 1, figure.why, "quiet")
            return
        end = line.width - _UNIT  # the column after the digits
        put_bar(line, Place(_BAR_AT, end - _VALUE - _BAR_AT), figure.value, gauge.full, gauge.role)
        role = "text" if figure.value else "quiet"
        line.put(end - len(gauge.text), gauge.text, role, of=self.path(gauge.field))
        line.put(end + 1, gauge.unit, "quiet")


def ailments(row: GpuRow, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """(glyph, words, role): warnings of now, then the last Xid where it is no longer one."""
    for warning in row.warnings:
        when = f"{formats.hour_minute(warning.at_ms, snapshot.utc_offset_s)} " if warning.at_ms else ""
        yield glyphs.WARNING, when + warning.text, "alarm"
    if row.xid and row.xid_at_ms is not None and all(warning.at_ms is None for warning in row.warnings):
        yield glyphs.UNWATCHED, f"{formats.local(row.xid_at_ms, snapshot.utc_offset_s):%d %b %H:%M} {row.xid}", "quiet"
    if row.mig:
        yield glyphs.UNWATCHED, f"MIG: {', '.join(row.mig)}", "quiet"


def ailment_rows(row: GpuRow, snapshot: Snapshot, width: int) -> list[tuple[str, str]]:
    """(text, role) of each row that they take."""
    return [
        (f"{glyph if number == 0 else ' '} {text}", role)
        for glyph, words, role in ailments(row, snapshot)
        for number, text in enumerate(wrap(words, width - 2))
    ]


def put_section(lines: list[Line], title: str, beside: str) -> None:
    """A bold heading with a quiet word at the right, over a rule."""
    width = lines[0].width
    end = lines[0].put(0, title, bold=True)
    if end + 1 + len(beside) <= width:
        lines[0].put(width - len(beside), beside, "quiet")
    lines[1].put(0, glyphs.RULE * width, "rule")
