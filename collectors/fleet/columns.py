"""Columns: where on a page the values of one field stand, for every GPU of it; and their way to whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, Protocol

from collectors.fleet.samples import PageAbout, PageSample
from collectors.meters.values import MOST, NEVER_ZERO

Values = Sequence[float]  # of a page's learnt series, and a NaN at the end
Pick = Callable[[Values], tuple[float, ...]]

ABSENT: Final = -1  # the position of what a page does not tell: that of the NaN
MIB: Final = 2.0**20
# DCGM writes 2^47 for "blank" in a counter; in gauges its blanks are beyond what the limits let through.
_MOST_COUNT: Final = 2.0**47 - 1
# GpuSample's fields in their order: field of a meter → our unit × this is the sample's.
UNITS: Final = {
    "energy_mj": 1.0,
    "power_w": 1000.0,
    "utilization": 1000.0,
    "memory_used_bytes": 1 / MIB,
    "temperature_c": 1.0,
}


class Columns(Protocol):
    """How the values of one layout become a sample."""

    @property
    def about(self) -> PageAbout: ...

    @property
    def names(self) -> frozenset[str]:
        """Of the series that are read."""
        ...

    @property
    def stands(self) -> Pick:
        """The values of counters, as they stand."""
        ...

    def sample(self, values: Values) -> PageSample: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One field of every GPU; all of one source, so of one scale."""

    pick: Pick
    scale: float  # page unit × scale = the sample's
    least: float  # page unit
    most: float

    def read(self, values: Values) -> list[int | None]:
        """A value that no such device can have is not known."""
        scale, least, most = self.scale, self.least, self.most
        return [round(value * scale) if least <= value <= most else None for value in self.pick(values)]


def column(field: str, positions: Iterable[int], scale: float) -> Column:
    """`scale`: page unit × scale = the unit of the meter's field."""
    most = 1.0 if field == "utilization" else min(MOST[field], _MOST_COUNT)
    least = 1e-9 if field in NEVER_ZERO else 0.0
    return Column(picker(positions), scale * UNITS[field], least, most / scale)


def picker(positions: Iterable[int]) -> Pick:
    """`itemgetter`, which gives no tuple for less than two."""
    chosen = tuple(positions)
    if len(chosen) > 1:
        return itemgetter(*chosen)
    return lambda values: tuple(values[position] for position in chosen)


def counts(values: Iterable[float], scale: float = 1.0) -> tuple[int | None, ...]:
    """What is no count is not known."""
    return tuple([round(value * scale) if 0 <= value <= _MOST_COUNT else None for value in values])
