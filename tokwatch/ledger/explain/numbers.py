"""The numbers put into a figure's formula, from the very sums that the figure was made of."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.explain.box_subject import OfTotals
from tokwatch.ledger.explain.device_subjects import OfAlert, OfGpu, OfSelf, OfStrip
from tokwatch.ledger.explain.entry import explained, sibling
from tokwatch.ledger.explain.explained import Every
from tokwatch.ledger.explain.formula import formula
from tokwatch.ledger.explain.measured import Ground
from tokwatch.ledger.explain.money_subjects import OfDeployment, OfEconomy
from tokwatch.ledger.explain.quantity import Quantity, made_of, sum_of
from tokwatch.ledger.explain.server_subjects import OfCapacity, OfServer
from tokwatch.ledger.explain.subject import Subject
from tokwatch.ledger.figure import Interval
from tokwatch.ledger.figure_path import FigurePath, figure_at, row_at, rows_of

SUBJECTS: Final[dict[str, type[Subject]]] = {
    "gpu": OfGpu,
    "strip": OfStrip,
    "server": OfServer,
    "alert": OfAlert,
    "capacity": OfCapacity,
    "totals": OfTotals,
    "economy": OfEconomy,
    "deployment": OfDeployment,
    "self_cost": OfSelf,
}


def subject_of(ground: Ground, path: FigurePath) -> Subject | None:
    """Whose figure it is; None where the moment has no such row."""
    row = row_at(ground.snapshot, path)
    return None if row is None else SUBJECTS.get(path.of, Subject)(ground, row, path.field)


def numbers(ground: Ground, path: FigurePath) -> Quantity | None:
    """The figure's formula with its numbers; None where it is unknown, between bounds, or no arithmetic."""
    entry, figure = explained(path), figure_at(ground.snapshot, path)
    if entry is None or not entry.formula or figure is None or isinstance(figure, Interval):
        return None
    subject = subject_of(ground, path)
    if subject is None or (figure.value is None and not figure.infinite):
        return None
    parts: dict[str, Quantity] = {}
    for name in formula(entry.formula).names:
        term = entry.terms.get(name)
        if term is None:
            part = getattr(subject, name)()
        else:
            part = _added(ground, term) if isinstance(term, Every) else _of(ground, sibling(path, term))
        if part is None:
            return None
        parts[name] = part
    return made_of(entry.words, entry.unit, entry.formula, **parts)


def _of(ground: Ground, path: FigurePath) -> Quantity | None:
    """Another figure with its own numbers, else as it stands."""
    found = numbers(ground, path)
    if found is not None:
        return found
    entry, figure = explained(path), figure_at(ground.snapshot, path)
    if figure is None or isinstance(figure, Interval) or figure.value is None:
        return None
    return Quantity(entry.words if entry else path.field, figure.value, entry.unit if entry else "")


def _added(ground: Ground, every: Every) -> Quantity | None:
    """A figure of every row; what is unknown is left out, as in the figure itself."""
    entry = explained(FigurePath(every.part, every.field))
    found = [
        _of(ground, FigurePath(every.part, every.field, key))
        for key, row in rows_of(ground.snapshot, every.part)
        if every.only is None or every.only(row)
    ]
    parts = tuple(part for part in found if part is not None)
    unit = entry.unit if entry else ""
    return sum_of("all", unit, parts) if parts else Quantity("of none", 0.0, unit)
