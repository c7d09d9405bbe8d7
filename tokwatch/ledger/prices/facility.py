"""From board power to the building's meter: the host's share, PUE, and the carbon of a kilowatt-hour."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

MJ_PER_KWH = 3.6e9  # millijoules


class Carbon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Grams of CO2 equivalent of a kilowatt-hour, and where the number is from."""

    g_per_kwh: float
    label: str  # "eGRID US average, location-based"
    year: int


class Facility(msgspec.Struct, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """What is added to board power. Nothing has a default: what is not told is left out, and figures say so."""

    pue: float | None = None
    host: Literal["", "measured", "per gpu", "ratio"] = ""  # "" the host's share is not counted
    host_w_per_gpu: float | None = None
    host_ratio: float | None = None  # host watts per board watt
    carbon: Carbon | None = None

    @property
    def basis(self) -> str:
        """What energy in money covers: "board", "board + host", "board × PUE", "facility" (both)."""
        if self.pue is None:
            return "board + host" if self.host else "board"
        return "facility" if self.host else "board × PUE"


class FacilityEnergy(NamedTuple):
    """Millijoules at the building's meter; `whole` False where the host's share should be in it and is not known."""

    energy_mj: float
    whole: bool = True


def facility_energy(facility: Facility, board_mj: float, held_ms: float, host_mj: float | None) -> FacilityEnergy:
    """(E_board + E_host) × PUE of one GPU over held_ms. host_mj: its share of what was measured, None without."""
    known_host_mj: float | None = 0.0
    if facility.host == "measured":
        known_host_mj = host_mj
    elif facility.host == "per gpu":
        known_host_mj = (facility.host_w_per_gpu or 0.0) * held_ms
    elif facility.host == "ratio":
        known_host_mj = (facility.host_ratio or 0.0) * board_mj
    return FacilityEnergy((board_mj + (known_host_mj or 0.0)) * (facility.pue or 1.0), known_host_mj is not None)
