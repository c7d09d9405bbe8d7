"""The SERVERS section of the GPU screen: what is placed on it, how that is known, and how many processes it has."""

from __future__ import annotations

from collections.abc import Iterator

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.widgets.gpu_device import put_section
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas
from tokwatch.ledger.snapshot import GpuRow, ServerRow, Snapshot

_PLACED = {
    "config": "placed by the configuration",
    "process": "placed by its processes",
    "visible devices": "placed by its visible devices",
    "pod": "placed by its pod",
    "same host": "placed by its host alone: nothing tells which GPUs it is on",
}


class GpuServers(GpuCanvas):
    """Three rows a server."""

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        row, snapshot = self.row, self.frame.snapshot
        if row is None or snapshot is None or height < 3:
            return lines
        put_section(lines, "SERVES", processes(row))
        for line, (left, role, right) in zip(lines[2:], self._told(row, snapshot), strict=False):
            line.put(0, left, role, width=width - len(right) - (1 if right else 0))
            line.put(width - len(right), right, "quiet")
        return lines

    def _told(self, row: GpuRow, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
        servers = [server for server in snapshot.servers if server.entity in row.servers]
        if not servers:
            yield f"{glyphs.ABSENT} no server is known to run here", "quiet", ""
        for server in servers:
            model = server.model.rstrip("/").rsplit("/", 1)[-1]
            yield model or glyphs.ABSENT, "text" if server.up else "alarm", formats.engine(server.engine)
            yield server.address, "quiet", formats.devices(server.gpus, row.device)
            yield _load(server), "quiet" if server.up else "alarm", ""
        if servers and row.placed_by:
            yield _PLACED.get(row.placed_by, f"placed by {row.placed_by}"), "faint", ""


def processes(row: GpuRow) -> str:
    """How many compute processes the driver lists."""
    if row.processes is None:
        return "processes not visible"
    return f"{row.processes} process{'' if row.processes == 1 else 'es'}"


def _load(server: ServerRow) -> str:
    if not server.up:
        return server.problem or "does not answer"
    parts = [
        f"{number} {word}"
        for number, word in ((server.running, "running"), (server.waiting, "waiting"))
        if number is not None
    ]
    if server.kv_usage.value is not None:
        parts.append(f"KV {formats.percent(server.kv_usage.value)} %")
    return ", ".join(parts) or f"{glyphs.ABSENT} its page tells no load"
