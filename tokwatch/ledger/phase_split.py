"""Phase split: what the prefill and what the decode servers of one deployment draw and cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from tokwatch.ledger.deployments import DECODE, PREFILL
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import part_of, total, unknown
from tokwatch.ledger.money.shapes import DeploymentRow
from tokwatch.ledger.snapshot import GpuRow, Snapshot


class Phase(msgspec.Struct, frozen=True):
    """One side of a disaggregated deployment."""

    gpus: tuple[int, ...]  # indices
    power_w: Figure
    power_share: Figure  # of both, 0..1
    usd_per_hour: Figure
    usd_share: Figure
    usd_per_m: Figure  # per million uncached prompt tokens, or output tokens


class PhaseSplit(msgspec.Struct, frozen=True):
    """Both sides."""

    prefill: Phase
    decode: Phase


def phase_split(snapshot: Snapshot, deployment: DeploymentRow) -> PhaseSplit | None:
    """None where its servers do not share the work by phases, or a GPU does both."""
    by_role: dict[str, set[int]] = {PREFILL: set(), DECODE: set()}
    for server in snapshot.servers:
        if server.entity in deployment.servers and server.role in by_role:
            by_role[server.role].update(server.gpus)
    prefill, decode = by_role[PREFILL], by_role[DECODE]
    if not prefill or not decode or prefill & decode:
        return None
    rows = {row.index: row for row in snapshot.gpus}
    sides = [[rows[index] for index in sorted(side) if index in rows] for side in (prefill, decode)]
    power = [_sum(side, lambda row: row.power_w) for side in sides]
    usd = [_sum(side, lambda row: row.usd_per_hour) for side in sides]
    costs = deployment.economy.tokens
    return PhaseSplit(
        *(
            Phase(
                gpus=tuple(row.index for row in side),
                power_w=watts,
                power_share=part_of(watts, total(power, "")),
                usd_per_hour=dollars,
                usd_share=part_of(dollars, total(usd, "")),
                usd_per_m=per_m,
            )
            for side, watts, dollars, per_m in zip(sides, power, usd, (costs.prefill, costs.decode), strict=True)
        )
    )


def _sum(rows: Iterable[GpuRow], figure: Callable[[GpuRow], Figure]) -> Figure:
    parts = [figure(row) for row in rows]
    return total(parts, "no GPU") if parts else unknown("no GPU")
