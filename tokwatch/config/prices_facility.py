"""`[prices.facility]`: from board power to the building's meter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from tokwatch.config.prices_limits import Problem, not_above_0, outside
from tokwatch.ledger.prices.facility import Carbon, Facility


class FacilitySection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PUE, and one of three ways to tell the host's own power; nothing has a default."""

    pue: float | None = None
    host: Literal["measured"] | None = None
    host_w_per_gpu: float | None = None
    host_ratio: float | None = None  # host watts per board watt

    def facility(self, carbon: Carbon | None) -> Facility:
        """As the price book has it."""
        way: Literal["", "measured", "per gpu", "ratio"] = "measured" if self.host else ""
        if self.host_w_per_gpu is not None:
            way = "per gpu"
        elif self.host_ratio is not None:
            way = "ratio"
        return Facility(self.pue, way, self.host_w_per_gpu, self.host_ratio, carbon)


def problems(section: FacilitySection, carbon: Carbon | None) -> Iterator[Problem]:
    """(path, message) of figures that no site has."""
    where = "prices.facility"
    yield from outside(f"{where}.pue", section.pue, 1, 3, "all that the site draws ÷ what its computers draw")
    yield from outside(f"{where}.host_w_per_gpu", section.host_w_per_gpu, 0, 10_000)
    yield from outside(f"{where}.host_ratio", section.host_ratio, 0, 5, "host watts per board watt")
    told = [key for key in ("host", "host_w_per_gpu", "host_ratio") if getattr(section, key) is not None]
    if len(told) > 1:
        yield f"{where}.{told[1]}", f"the host's power is told by {told[0]} already: keep one of them"
    if carbon is not None:
        yield from not_above_0("prices.carbon.g_per_kwh", carbon.g_per_kwh, 3000)
        if not carbon.label.strip():
            yield "prices.carbon.label", "say whose number it is, and whether location- or market-based"
        yield from outside("prices.carbon.year", carbon.year, 1990, 2200)
