"""Field: one column of a list, or something else to sort by or to ask for. Of rows of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Generic, TypeVar

import msgspec

from tokwatch.dashboard import formats
from tokwatch.ledger.figure import Figure

Row = TypeVar("Row")
Context = TypeVar("Context")  # what a row does not say of itself

PLAIN: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "k": 1e3, "m": 1e6})
MONEY: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "k": 1e3})
WATTS: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "w": 1.0, "kw": 1e3})
GIB: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "g": 1.0, "gb": 1.0, "gib": 1.0})
CELSIUS: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "c": 1.0, "°c": 1.0, "°": 1.0})
SHARE: Final[Mapping[str, float]] = MappingProxyType({"": 1.0, "%": 0.01})
TIME: Final[Mapping[str, float]] = MappingProxyType(
    {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
)  # never without: 30 what?


class Field(msgspec.Struct, Generic[Row, Context], frozen=True):
    """One column of the list, or something else to sort by or to ask for."""

    key: str  # of the column
    heading: str  # with its unit
    about: str
    letter: str = ""  # sorts by it; "" where nothing can
    figure: str = ""  # the row's Figure that it shows
    write: Callable[[float], str] = formats.count
    text: Callable[[Row, Context], str] | None = None  # what it shows where it is no figure
    rank: Callable[[Row, Context], float | str | None] | None = None  # what it is sorted by where it is not as shown
    falls: bool = False  # the largest first: what a user looks for
    names: tuple[str, ...] = ()  # in a filter
    units: Mapping[str, float] = PLAIN  # behind a number in a filter: how many of the field's own
    share: bool = False  # of 0..1, written in per cent
    full: str = ""  # the row's number that 100 % of it is

    def figure_of(self, row: Row) -> Figure:
        """The Figure that it shows; only where there is one."""
        found: Figure = getattr(row, self.figure)
        return found

    def sorts_by(self, row: Row, context: Context) -> float | str | None:
        """What it is sorted by; None where that is not known. Cost without tokens is above all that costs less."""
        if self.rank is not None:
            return self.rank(row, context)
        if self.figure:
            figure = self.figure_of(row)
            return float("inf") if figure.infinite else figure.value
        return (self.text(row, context).casefold() or None) if self.text is not None else None
