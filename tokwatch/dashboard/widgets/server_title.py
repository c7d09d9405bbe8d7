"""The first row of the Server screen: which server it is, whether it answers, and how far back its charts reach."""

from __future__ import annotations

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.columns import MARGIN
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.ledger.snapshot import ServerRow

_SPAN = "last 1h"


class ServerTitle(Canvas):
    """Name at the left, the span at the right."""

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(look, id=id)
        self.server: ServerRow | None = None

    def draw(self, rows: range) -> list[Line]:
        line = Line(self.size.width, self.look)
        server, snapshot = self.server, self.frame.snapshot
        right = line.width - MARGIN - len(_SPAN)
        line.put(right, _SPAN, "quiet")
        if server is None or snapshot is None:
            text = "not there at this moment" if snapshot else self.frame.starting
            line.put(MARGIN, f"{glyphs.ABSENT} {text}", "quiet")
            return [line]
        glyph, role = (glyphs.OK, "work") if server.up else (glyphs.FAILED, "alarm")
        x = line.put(MARGIN, glyph, role)
        x = line.put(x + 1, server.address, "bright", bold=True)
        gpus = formats.devices(server.gpus, snapshot.device) if server.gpus else ""
        for text, colour in ((formats.engine(server.engine), "quiet"), (server.model, "text"), (gpus, "quiet")):
            if text and x + 2 + len(to_cells(text)) < right:
                x = line.put(x + 2, text, colour)
        return [line]
