"""A canvas about one GPU of the Snapshot."""

from __future__ import annotations

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.snapshot import GpuRow


class GpuCanvas(Canvas):
    """Of the GPU `entity`."""

    entity = 0

    @property
    def row(self) -> GpuRow | None:
        """Its row; None where nothing is measured yet, or at a moment when it was not there."""
        return row_of(self.frame, self.entity)

    def path(self, field: str) -> FigurePath:
        """Which figure of the Snapshot a field of the row is."""
        return FigurePath("gpu", field, self.entity)


def row_of(frame: Frame, entity: int) -> GpuRow | None:
    """The row of a GPU in a Frame."""
    gpus = frame.snapshot.gpus if frame.snapshot else ()
    return next((row for row in gpus if row.entity == entity), None)
