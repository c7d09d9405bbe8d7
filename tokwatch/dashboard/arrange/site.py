"""Site: what a GPU's row does not say of itself: its host, the moment, its deployment."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from tokwatch.ledger.snapshot import GpuRow, Snapshot

UNASSIGNED: Final = "(unassigned)"


class Site:
    """Of one Snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.now_ms = snapshot.tick_ms

    def host(self, row: GpuRow) -> str:
        """The host that the GPU is in."""
        return self._snapshot.host

    def deployment(self, row: GpuRow) -> str:
        """The name of its deployment; of all of them where several share it."""
        return self._deployments.get(row.index) or row.serves or UNASSIGNED

    def state_s(self, row: GpuRow) -> float:
        """Seconds since its state began."""
        return (self.now_ms - row.since_ms) / 1000

    @cached_property
    def _deployments(self) -> dict[int, str]:
        names: dict[int, list[str]] = {}
        for deployment in self._snapshot.deployments:
            if deployment.servers:  # not what is left over
                for index in deployment.gpus:
                    names.setdefault(index, []).append(deployment.name)
        return {index: " + ".join(of) for index, of in names.items()}
