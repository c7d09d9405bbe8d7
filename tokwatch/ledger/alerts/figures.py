"""Which figures of a Snapshot a condition may name, and reading them. Names come from the Snapshot's own structs."""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args

import msgspec

from tokwatch.ledger.alerts.conditions import Bounds, Condition, ConditionError, FigureName, Figures, Scope
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.money.shapes import DeploymentRow, Economy
from tokwatch.ledger.snapshot import GpuRow, ServerRow, Snapshot, Totals

# Structs whose numbers have names in a scope. Of two that have the same name the first holds.
_STRUCTS: Final[dict[Scope, tuple[type[msgspec.Struct], ...]]] = {
    "": (Totals, Economy),
    "gpu": (GpuRow,),
    "server": (ServerRow,),
    "deployment": (DeploymentRow,),
    "model": (ServerRow, DeploymentRow),
}
_NUMBERS: Final = (Figure, Interval, int, float)
_NO_FIGURES: Final = frozenset({"entity", "index"})
_WITHOUT_PREFIX: Final = frozenset({"economy"})  # `cost.total` of a deployment, as of the fleet


@functools.cache
def figure_names(scope: Scope) -> tuple[str, ...]:
    """Every name that a condition may have in a scope, sorted."""
    return tuple(sorted({name for struct in _STRUCTS[scope] for name in _paths(struct)}))


def check_condition(condition: Condition) -> None:
    """Raises ConditionError where no Snapshot has such a figure; the message lists those there are."""
    name, scope, _ = condition.figure
    if name not in figure_names(scope):
        where = f" of a {scope}" if scope else ""
        raise ConditionError(f"there is no figure {name}{where}: the figures are {', '.join(figure_names(scope))}")


def read_figures(snapshot: Snapshot, wanted: Iterable[FigureName]) -> Figures:
    """What a Snapshot says of some figures."""
    return types.MappingProxyType({figure: tuple(_readings(snapshot, figure)) for figure in wanted})


def _readings(snapshot: Snapshot, figure: FigureName) -> Iterator[Bounds | None]:
    for row in _rows(snapshot, figure):
        if figure.name in _paths(type(row)):
            yield _bounds(functools.reduce(getattr, _paths(type(row))[figure.name], row))
            if not figure.scope:
                return


def _rows(snapshot: Snapshot, figure: FigureName) -> Iterator[msgspec.Struct]:
    of = figure.of
    if figure.scope == "":
        yield from (snapshot.totals, snapshot.economy)
    if figure.scope == "gpu":
        yield from (row for row in snapshot.gpus if row.index == int(of))
    if figure.scope in ("server", "model"):
        yield from (row for row in snapshot.servers if of == (row.address if figure.scope == "server" else row.model))
    if figure.scope in ("deployment", "model"):
        for row in snapshot.deployments:
            if of in ((row.name, row.key) if figure.scope == "deployment" else row.models):
                yield row


def _bounds(value: Any) -> Bounds | None:
    """A cost without tokens is infinite: it is above every limit."""
    if isinstance(value, Figure):
        value = math.inf if value.infinite else value.value
    if isinstance(value, Interval):
        if value.low is None and value.high is None:
            return None
        return Bounds(-math.inf if value.low is None else value.low, math.inf if value.high is None else value.high)
    return None if value is None else Bounds(value, value)


@functools.cache
def _paths(struct: type[msgspec.Struct]) -> dict[str, tuple[str, ...]]:
    """Dotted name → attributes to follow, of every number in a struct."""
    paths: dict[str, tuple[str, ...]] = {}
    for field in msgspec.structs.fields(struct):
        if field.name in _NO_FIGURES or field.name.endswith("_ms"):
            continue
        kinds = get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)
        if any(kind in _NUMBERS for kind in kinds):
            paths[field.name] = (field.name,)
        elif isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            prefix = "" if field.name in _WITHOUT_PREFIX else f"{field.name}."
            paths |= {prefix + name: (field.name, *path) for name, path in _paths(field.type).items()}
    return paths
