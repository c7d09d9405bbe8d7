"""Alert entries: what wants attention in a Snapshot, in the order in which it is listed everywhere."""

from __future__ import annotations

import msgspec

from tokwatch.dashboard import formats
from tokwatch.ledger.snapshot import AlertRow, GpuWarning, Snapshot


class Fault(msgspec.Struct, frozen=True):
    """A warning, and the devices that it is given of."""

    gpus: tuple[int, ...]
    warning: GpuWarning


Entry = str | Fault | AlertRow  # str: a trouble of the recorder


def entries(snapshot: Snapshot) -> list[Entry]:
    """The recorder's own troubles first, then devices that are at fault themselves, then alerts."""
    faults: dict[GpuWarning, list[int]] = {}
    for row in snapshot.gpus:
        for warning in row.warnings:
            faults.setdefault(warning, []).append(row.index)
    told = [Fault(tuple(gpus), warning) for warning, gpus in faults.items()]
    return [*snapshot.problems, *told, *snapshot.alerts]


def gpus_of(entry: AlertRow | Fault, snapshot: Snapshot) -> str:
    """Its devices in words; "" where it is about none."""
    return formats.devices(entry.gpus, snapshot.device)
