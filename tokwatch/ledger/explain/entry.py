"""Which explanation belongs to which figure: the look-up by its path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tokwatch.ledger.explain.explained import Every, Explained
from tokwatch.ledger.explain.formula import formula
from tokwatch.ledger.explain.glossary import GLOSSARY
from tokwatch.ledger.explain.of_capacity import CAPACITY
from tokwatch.ledger.explain.of_devices import ALERT, GPU, SELF, SNAPSHOT, STRIP
from tokwatch.ledger.explain.of_economy import ECONOMY
from tokwatch.ledger.explain.of_servers import SERVER
from tokwatch.ledger.explain.of_totals import TOTALS
from tokwatch.ledger.explain.of_traffic import TRAFFIC
from tokwatch.ledger.figure_path import FigurePath

_PARTS: Final[Mapping[str, Mapping[str, Explained]]] = {
    "snapshot": SNAPSHOT,
    "totals": TOTALS,
    "economy": ECONOMY,
    "self_cost": SELF,
    "gpu": GPU,
    "strip": STRIP,
    "server": SERVER,
    "capacity": CAPACITY,
    "alert": ALERT,
    "deployment": {f"economy.{field}": entry for field, entry in ECONOMY.items()},
    "traffic": TRAFFIC,
}
_OF_DEPLOYMENTS: Final = "economy."  # before the field of an Economy there


def explained(path: FigurePath) -> Explained | None:
    """What is said of the figure; None where it is not explained yet."""
    return _PARTS[path.of].get(path.field)


def sibling(path: FigurePath, field: str) -> FigurePath:
    """Another figure of the same row, by the name it has in `Explained.terms`."""
    prefix = _OF_DEPLOYMENTS if path.of == "deployment" else ""
    return FigurePath(path.of, prefix + field, path.key)


def in_words(path: FigurePath) -> str:
    """How it is made of others, in words: its rule, or its formula with words for names."""
    entry = explained(path)
    if entry is None:
        return ""
    if entry.rule:
        return entry.rule
    return formula(entry.formula).written({name: _word(path, entry, name) for name in formula(entry.formula).names})


def _word(path: FigurePath, entry: Explained, name: str) -> str:
    term = entry.terms.get(name)
    if term is None:
        return GLOSSARY[name].words
    if isinstance(term, Every):
        other = explained(FigurePath(term.part, term.field))
        row = "GPU" if term.part in ("gpu", "strip") else term.part
        return f"{other.words if other else term.field} of every {'idle ' if term.only else ''}{row}, added up"
    other = explained(sibling(path, term))
    return other.words if other else term
