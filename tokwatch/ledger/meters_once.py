"""A GPU that several meters read is one GPU: which meter's readings count, and what is said of the others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from collectors.readings import GpuFacts, GpuReading, Reason

_PREFERRED = ("NVML", "agent", "dcgm-exporter")  # the nearest to the device first; others after them
# The device's own trouble: what a meter farther off then tells is what it remembers. Any other problem is the meter's.
_OF_THE_DEVICE = (None, Reason.LOST, Reason.STALLED)
_PCI = re.compile(
    r"(?:(?P<domain>[0-9a-f]{1,8}):)?(?P<bus>[0-9a-f]{1,2}):(?P<device>[0-9a-f]{1,2})(?:\.(?P<fn>[0-7]))?"
)


def same_gpu(one: GpuFacts, other: GpuFacts) -> bool:
    """By UUID where both tell it, else by PCI address, else by index; the host is the same."""
    if one.kind != other.kind:
        return False
    if one.uuid and other.uuid:
        return one.uuid.lower() == other.uuid.lower()
    slots = (normalised_pci(one.pci_bus_id), normalised_pci(other.pci_bus_id))
    if None not in slots:
        return slots[0] == slots[1]
    return one.index == other.index and (not one.name or not other.name or one.name == other.name)


def normalised_pci(address: str | None) -> str | None:
    """A PCI address as Linux writes it, "0000:3b:00.0"; NVML gives the domain eight digits, others leave it out."""
    match = _PCI.fullmatch((address or "").strip().lower())
    if match is None:
        return None
    domain, bus, device, function = (int(part or "0", 16) for part in match.groups())
    return f"{domain:04x}:{bus:02x}:{device:02x}.{function}"


class MetersOnce:
    """Picks for each GPU the nearest meter that can read it. Remembers, because meters do not report at the same pace
    and a GPU must not change its meter with them."""

    def __init__(self) -> None:
        self._meters: list[dict[str, GpuFacts]] = []  # of each GPU, by name
        self._cannot: list[set[str]] = []  # of them those that cannot read it
        self._places: dict[tuple[str, str, str | None, str | None, int], int] = {}

    def of(self, readings: Iterable[GpuReading]) -> tuple[GpuReading, ...]:
        """The readings that count."""
        placed = [(reading, self._place(reading.facts)) for reading in readings]
        for reading, place in placed:
            if reading.problem in _OF_THE_DEVICE:
                self._cannot[place].discard(reading.facts.meter)
            else:
                self._cannot[place].add(reading.facts.meter)
        return tuple(self._named(reading, place) for reading, place in placed if self._counts(reading, place))

    @property
    def doubles(self) -> str:
        """What is read twice, in words; "" when nothing is."""
        return "; ".join(
            f"GPU {meters[counts].index} is also read by {', '.join(sorted(others))}: {counts} counts"
            for place, meters in enumerate(self._meters)
            for counts in (self._counting(place),)
            if (others := meters.keys() - {counts} - self._cannot[place])
        )

    def _counts(self, reading: GpuReading, place: int) -> bool:
        return reading.facts.meter == self._counting(place)

    def _counting(self, place: int) -> str:
        meters = self._meters[place]
        return _nearest(meters.keys() - self._cannot[place] or meters)

    def _named(self, reading: GpuReading, place: int) -> GpuReading:
        """As the nearest meter names the GPU, whichever tells of it: else it would be another one."""
        named = self._meters[place][_nearest(self._meters[place])]
        if named.meter == reading.facts.meter:
            return reading
        facts = replace(reading.facts, index=named.index, uuid=named.uuid, pci_bus_id=named.pci_bus_id)
        return replace(reading, facts=facts)

    def _place(self, facts: GpuFacts) -> int:
        identity = (facts.meter, facts.kind, facts.uuid, facts.pci_bus_id, facts.index)
        place = self._places.get(identity)
        if place is None:
            place = next((n for n, meters in enumerate(self._meters) if _any_same(facts, meters.values())), None)
            if place is None:
                place = len(self._meters)
                self._meters.append({})
                self._cannot.append(set())
            self._places[identity] = place
            self._meters[place][facts.meter] = facts
        return place


def _any_same(facts: GpuFacts, among: Iterable[GpuFacts]) -> bool:
    return any(same_gpu(facts, other) for other in among)


def _nearest(meters: Iterable[str]) -> str:
    return min(meters, key=lambda meter: (_PREFERRED.index(meter) if meter in _PREFERRED else len(_PREFERRED), meter))
