"""Each GPU's share of what its box was measured to draw besides boards, quarter hour by quarter hour.

The box by its own sensors less its boards, else its processor packages alone; divided by the time that each GPU was
there. What was measured over a part of the time speaks for that part only, and is never stretched over the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from tokwatch.exports.names import Names
from tokwatch.ledger.devices import PACKAGE
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import GpuQuarter, HostQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

Key = tuple[int, int, int, int]  # quarter_ms, run, gpu, owner


class HostShare(NamedTuple):
    """Of one GPU serving one owner in one quarter hour."""

    energy_mj: int
    time_ms: int  # of the GPU's time, what energy_mj speaks for
    source: str  # "box" | "packages" | "": not measured


NO_SHARE: Final = HostShare(0, 0, "")


def key_of(quarter: GpuQuarter) -> Key:
    return quarter.quarter_ms, quarter.run, quarter.entity, quarter.owner


def drawn_ms(quarter: GpuQuarter) -> int:
    """The time that a row's energy may have been drawn in."""
    return quarter.observed_ms + quarter.gap_ms


def host_shares(quarters: Quarters, names: Names) -> dict[Key, HostShare]:
    """Those of all rows whose box was measured."""
    boxes = {(host.quarter_ms, host.run, host.entity): host for host in quarters.hosts}
    on_box: dict[tuple[int, int, int], list[GpuQuarter]] = defaultdict(list)
    for row in quarters.gpus if boxes else ():
        on_box[row.quarter_ms, row.run, names.parent(row.entity)].append(row)
    return {
        key: share for place, rows in on_box.items() if place in boxes for key, share in _of(boxes[place], rows, names)
    }


def _of(box: HostQuarter, rows: Sequence[GpuQuarter], names: Names) -> list[tuple[Key, HostShare]]:
    by_gpu: dict[int, int] = defaultdict(int)
    for row in rows:
        by_gpu[row.entity] += drawn_ms(row)
    watched_ms = max(by_gpu.values())
    if not watched_ms:
        return []
    boards = [row.energy_mj for row in rows if drawn_ms(row)]
    if box.energy_mj is not None and box.energy_ms and None not in boards:
        covered_ms = min(box.energy_ms, watched_ms)
        boards_mj = sum(board for board in boards if board is not None) * covered_ms // watched_ms
        besides_mj = max(0, box.energy_mj * covered_ms // box.energy_ms - boards_mj)
        return _divided(rows, [drawn_ms(row) for row in rows], besides_mj, covered_ms, watched_ms, "box")
    if box.package_energy_mj is not None and box.package_ms:
        covered_ms = min(box.package_ms, watched_ms)
        packages_mj = box.package_energy_mj * covered_ms // box.package_ms
        # A processor package that is shown as a device of its own has its joules on the board's side already.
        weights = [0 if _is_package(row, names) else drawn_ms(row) for row in rows]
        return _divided(rows, weights, packages_mj if any(weights) else 0, covered_ms, watched_ms, "packages")
    return []


def _divided(
    rows: Sequence[GpuQuarter], weights: Sequence[int], energy_mj: int, covered_ms: int, watched_ms: int, source: str
) -> list[tuple[Key, HostShare]]:
    shares = zip(rows, split_counts(energy_mj, weights), strict=True)
    return [
        (key_of(row), HostShare(share_mj, drawn_ms(row) * covered_ms // watched_ms, source))
        for row, share_mj in shares
        if row.energy_mj is not None  # beside a board that nobody measured it would look like all that was drawn
    ]


def _is_package(row: GpuQuarter, names: Names) -> bool:
    facts = names.gpu(row.entity, row.quarter_ms + QUARTER_MS)
    return facts is not None and facts.kind == PACKAGE
