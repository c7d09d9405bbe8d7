"""The names of a store and what stands for each of them in a file for others: one mapping a file, order kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from tokwatch.ledger.entries import State

Category = Literal["host", "GPU", "server", "model", "tenant", "tier", "user", "deployment", "alert", "probe"]

# Words of ours or of the field: they name nobody.
_PUBLIC: Final[Mapping[Category, frozenset[str]]] = {
    "tenant": frozenset({"(untagged)"}),
    "alert": frozenset({*(state.name.lower() for state in State), "budget"}),
    "tier": frozenset({"standard", "default", "priority", "flex", "batch", "scale", "auto"}),
}
_NONE: Final[frozenset[str]] = frozenset()
_TOLD_IN_TEXTS: Final[frozenset[Category]] = frozenset(
    {"host", "GPU", "server", "model", "tenant", "tier", "user", "deployment", "alert"}
)
REMOVED: Final = "(removed)"


class Names:
    """What stands for each name: "model-2", "GPU-0007". Numbers follow the order of the names and have equally many
    digits, so that whatever is sorted by name, and summed in that order, stays as it was."""

    def __init__(self, known: Mapping[Category, Iterable[str]]) -> None:
        self._stands: dict[Category, dict[str, str]] = {}
        for category, names in known.items():
            private = sorted({name for name in names if name} - _PUBLIC.get(category, _NONE))
            digits = 4 if category == "GPU" else len(str(len(private)))
            self._stands[category] = {
                name: f"{category}-{number:0{digits}d}" for number, name in enumerate(private, start=1)
            }
        self._everywhere = {
            name.casefold(): stands
            for category, each in self._stands.items()
            if category in _TOLD_IN_TEXTS
            for name, stands in each.items()
        }
        for model, stands in self._stands.get("model", {}).items():
            # Lines for users leave out whose model it is.
            self._everywhere.setdefault(model.rpartition("/")[2].casefold(), stands)
        longest_first = sorted(self._everywhere, key=len, reverse=True)
        self._pattern = (
            re.compile(rf"(?<!\w)(?<!\w[.-])(?:{'|'.join(map(re.escape, longest_first))})(?!\w|[.-]\w)", re.IGNORECASE)
            if longest_first
            else None
        )

    def of(self, category: Category, name: str) -> str:
        """What stands for a name; "" and public names stand for themselves. Raises KeyError for one that is not known,
        which is a fault: every name has to be collected before the first one is replaced."""
        if not name or name in _PUBLIC.get(category, _NONE):
            return name
        return self._stands[category][name]

    def knows(self, category: Category, name: str) -> bool:
        return name in self._stands.get(category, {})

    def any_of(self, categories: Iterable[Category], name: str) -> str | None:
        """What stands for a name of one of several categories; None where none of them has it."""
        return next((self._stands[each][name] for each in categories if self.knows(each, name)), None)

    def within(self, text: str) -> str:
        """A text with every name in it replaced, the longest first, whatever its case; whole words only."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._everywhere.get(found[0].casefold(), REMOVED), text)

    def all(self, category: Category) -> Mapping[str, str]:
        """Every name of a category, and what stands for it."""
        return self._stands.get(category, {})

    def counts(self) -> dict[Category, int]:
        """How many names of each category there are."""
        return {category: len(names) for category, names in self._stands.items() if names}

    def stand_ins(self) -> frozenset[str]:
        """All that stands for a name."""
        return frozenset(self._everywhere.values())
