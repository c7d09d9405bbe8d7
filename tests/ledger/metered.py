"""A meter of a run that began at noon, fed by the second."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from collectors.readings import FlowReading, ServerReading
from tests.ledger.readings import (
    BOOT_S,
    NOON_MS,
    axis,
    gpu,
    page,
    registry,
)
from tokwatch.ledger.entries import FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.meter import Meter
from tokwatch.ledger.registry import Registry

HOST = 1


@dataclass
class Metered:
    """A meter of a run that began at noon, and the registry of its store."""

    things: Registry = field(default_factory=registry)
    boot_id: str = "boot-1"
    started_s: float = NOON_MS / 1000

    def __post_init__(self) -> None:
        self.meter = Meter(self.things, boot_id=self.boot_id, started_s=self.started_s, interval_s=1.0)

    def gpu(self, second: float, **changes: Any) -> GpuEntry:
        return self.meter.gpu(gpu(second, **changes), axis(second), host=HOST)

    def server(self, reading: ServerReading) -> tuple[ServerEntry, tuple[FlowEntry, ...]]:
        second = reading.at_ns / 1e9 - BOOT_S
        return self.meter.server(reading, axis(second), host=HOST)

    def page(self, second: float, *flows: FlowReading, **changes: Any) -> FlowEntry:
        """The first flow's entry of a page."""
        return self.server(page(second, *flows, **changes))[1][0]

    def next_run(self, boot_id: str = "boot-1", started_s: float = NOON_MS / 1000) -> Metered:
        """The meter of a later run that took up what this one left in the store."""
        later = Metered(self.things, boot_id, started_s)
        later.meter.resume(self.meter.absolutes())
        return later
