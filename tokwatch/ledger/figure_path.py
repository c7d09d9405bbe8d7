"""Figure paths: the address of one figure of a Snapshot, so that a cell can be asked where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.snapshot import Snapshot


class FigurePath(msgspec.Struct, frozen=True):
    """`of` names the part of the Snapshot, `key` which row of it, `field` the figure there, dotted: "cost.rent"."""

    of: str
    field: str
    key: int | str = 0  # entity of a GPU, a server or a capacity; key of an alert or a deployment; 0 where there is one


_ROWS: Final[dict[str, tuple[Callable[[Snapshot], Iterable[Any]], Callable[[Any], int | str]]]] = {
    "gpu": (lambda snapshot: snapshot.gpus, lambda row: row.entity),
    "strip": (lambda snapshot: snapshot.strip, lambda row: row.entity),
    "server": (lambda snapshot: snapshot.servers, lambda row: row.entity),
    "capacity": (lambda snapshot: snapshot.capacity, lambda row: row.entity),
    "alert": (lambda snapshot: snapshot.alerts, lambda row: row.key),
    "deployment": (lambda snapshot: snapshot.deployments, lambda row: row.key),
    "traffic": (
        lambda snapshot: snapshot.traffic,
        lambda row: "\0".join((row.deployment, row.model, row.tenant, row.tier)),
    ),
}
PARTS: Final = ("snapshot", "totals", "economy", "self_cost", *_ROWS)


def rows_of(snapshot: Snapshot, part: str) -> tuple[tuple[int | str, Any], ...]:
    """(key, row) of every row of a part of the Snapshot; one with key 0 where there is one."""
    if part not in _ROWS:
        return ((0, snapshot if part == "snapshot" else getattr(snapshot, part)),)
    rows, key_of = _ROWS[part]
    return tuple((key_of(row), row) for row in rows(snapshot))


def row_at(snapshot: Snapshot, path: FigurePath) -> Any | None:
    """The struct that holds the figure; None where the Snapshot has no such row."""
    if path.of == "snapshot":
        return snapshot
    if path.of not in _ROWS:
        return getattr(snapshot, path.of)
    rows, key_of = _ROWS[path.of]
    return next((row for row in rows(snapshot) if key_of(row) == path.key), None)


def figure_at(snapshot: Snapshot, path: FigurePath) -> Figure | Interval | None:
    """The figure itself; None where there is none. Plain numbers are given as a Figure."""
    found = row_at(snapshot, path)
    for name in path.field.split("."):
        found = getattr(found, name, None)
    if isinstance(found, Figure | Interval):
        return found
    return Figure(float(found)) if isinstance(found, int | float) else None
