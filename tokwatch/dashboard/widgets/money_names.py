"""Names of deployments in the tables of money: models without their makers, with their GPUs where two are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tokwatch.dashboard import formats
from tokwatch.ledger.snapshot import Snapshot


def short(name: str) -> str:
    """A model without its maker."""
    return name.rstrip("/").rsplit("/", 1)[-1]


def gpus_beside(snapshot: Snapshot) -> Mapping[str, str]:
    """By key of a deployment: what stands behind its name so that no other reads like it, " gpu 5" or nothing."""
    alike = Counter(short(row.name) for row in snapshot.deployments)
    return {
        row.key: f" {formats.devices(row.gpus, snapshot.device)}".rstrip() if alike[short(row.name)] > 1 else ""
        for row in snapshot.deployments
    }
