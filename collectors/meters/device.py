"""One device as an exporter's page tells it: its facts, its values, and its parts beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain

from collectors.meters.meter import Meter, Source
from collectors.meters.values import Sample, Value, first_value
from collectors.readings import GpuFacts, GpuReading, MigInstance, Reason

_TOLD = ("power_w", "energy_mj", "utilization", "memory_used_bytes", "temperature_c", "sm_clock_mhz")  # or said why not
_NO_PART = frozenset({"", "NA", "N/A"})


class Device:
    """The samples of one device, board and parts, and what they come to."""

    def __init__(self, meter: Meter, identity: tuple[str, ...]) -> None:
        self._meter = meter
        self._identity = identity
        self._samples: dict[str, list[Sample]] = {}  # by name

    def add(self, sample: Sample) -> None:
        self._samples.setdefault(sample.name, []).append(sample)

    @property
    def metered(self) -> bool:
        """Whether there is more of it than a name."""
        return any(name not in self._meter.info for name in self._samples)

    def reading(self, place: int, at_ns: int) -> GpuReading:
        """The reading, of the device that is the `place`-th on the page."""
        values = {field: self._value(field) for field in self._meter.values}
        unknown = Value(None)
        reasons: list[tuple[str, Reason]] = []

        def number(field: str) -> float | None:
            return values.get(field, unknown).number

        def whole(field: str) -> int | None:
            value = number(field)
            return None if value is None else round(value)

        for field in _TOLD:
            value = values.get(field, unknown)
            if value.number is None:
                reasons.append((field, value.reason))
        xid = whole("xid")
        parts = tuple(self._instances())
        return GpuReading(
            facts=GpuFacts(
                index=self._index(place),
                uuid=self._uuid(),
                name=self._label(self._meter.model) or self._meter.device_name,
                pci_bus_id=self._label(self._meter.pci) or None,
                memory_total_bytes=whole("memory_total_bytes"),
                power_limit_w=number("power_limit_w"),
                driver_version=self._label(self._meter.driver) or None,
                mig=bool(parts),
                interval_s=self._meter.interval_s,
                meter=self._meter.name,
                kind=self._meter.kind,
            ),
            at_ns=at_ns,
            power_w=number("power_w"),
            power_instant_w=number("power_instant_w"),
            energy_mj=whole("energy_mj"),
            energy_estimated=self._meter.energy_estimated,
            utilization=number("utilization"),
            memory_used_bytes=whole("memory_used_bytes"),
            temperature_c=whole("temperature_c"),
            memory_temperature_c=whole("memory_temperature_c"),
            sm_clock_mhz=whole("sm_clock_mhz"),
            tensor_activity=number("tensor_activity"),
            dram_activity=number("dram_activity"),
            mig_instances=parts,
            pods=self._pods(),
            xids=(xid,) if xid else (),
            reasons=tuple(reasons),
        )

    # --- the board ------------------------------------------------------------------------------------------------

    def _value(self, field: str) -> Value:
        sources = self._meter.values[field]
        samples = {
            name: [sample for sample in self._samples.get(name, ()) if self._speaks_of_board(field, self._part(sample))]
            for source in sources
            for name in source.names
        }
        return first_value(field, sources, samples, self._meter.at_most.get(field))

    def _speaks_of_board(self, field: str, part: str) -> bool:
        parts = self._meter.parts
        if parts is None or not part:
            return True
        if parts.whole and part != parts.whole:
            return False
        return field in parts.of_the_board or not self._part_names

    def _label(self, names: Sequence[str]) -> str:
        """The first label that a sample has, the board's own samples first."""
        return next((value for name in names if (value := _first(self._board_first, name))), "")

    def _pods(self) -> tuple[str, ...]:
        """Every pod that a sample names: slices of one board are given to several."""
        if not self._meter.pod:
            return ()
        named = (
            (_first((sample,), *self._meter.namespace), _first((sample,), *self._meter.pod))
            for sample in self._board_first
        )
        return tuple(dict.fromkeys(f"{namespace}/{pod}" if namespace else pod for namespace, pod in named if pod))

    def _index(self, place: int) -> int:
        numbers = (self._label((name,)) for name in self._meter.index)
        return next((int(text) for text in numbers if text.isascii() and text.isdigit() and len(text) <= 4), place)

    def _uuid(self) -> str | None:
        """The device's own, else what identifies it; None where that is only its place in the box, which is no name."""
        uuid = self._label((self._meter.uuid,)) if self._meter.uuid else ""
        if uuid:
            return uuid if uuid.startswith(self._meter.uuid_prefix) else self._meter.uuid_prefix + uuid
        if self._identity in ((self._label(self._meter.index),), (self._label(self._meter.pci),)):
            return None
        return f"{self._meter.name}:{'/'.join(self._identity)}"

    # --- its parts ------------------------------------------------------------------------------------------------

    def _part(self, sample: Sample) -> str:
        labels = self._meter.parts.labels if self._meter.parts else ()
        return next((value for label in labels if (value := sample.labels.get(label, "")) not in _NO_PART), "")

    # The following are asked for when all samples are there.

    @cached_property
    def _by_part(self) -> dict[str, list[Sample]]:
        by_part: dict[str, list[Sample]] = {"": []}
        for sample in chain.from_iterable(self._samples.values()):
            by_part.setdefault(self._part(sample), []).append(sample)
        return by_part

    @cached_property
    def _board_first(self) -> tuple[Sample, ...]:
        return tuple(chain.from_iterable(self._by_part.values()))

    @cached_property
    def _part_names(self) -> tuple[str, ...]:
        """The parts of a divided board, () of a whole one."""
        names = tuple(name for name in self._by_part if name)
        whole = self._meter.parts.whole if self._meter.parts else ""
        return () if names == (whole,) else names

    def _instances(self) -> Iterator[MigInstance]:
        """Those parts that have memory of their own."""
        parts = self._meter.parts
        if parts is None or not parts.memory_used:
            return
        for name in self._part_names:
            own = self._by_part[name]
            yield MigInstance(
                uuid=_first(own, parts.uuid) or f"{'/'.join(self._identity)}/{name}",
                profile=_first(own, parts.profile),
                memory_used_bytes=_memory(own, parts.memory_used),
                memory_total_bytes=_memory(own, parts.memory_total),
            )


def _first(samples: Iterable[Sample], *labels: str) -> str:
    return next((value for sample in samples for label in labels if (value := sample.labels.get(label, ""))), "")


def _memory(samples: Iterable[Sample], sources: Sequence[Source]) -> int | None:
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample.name, []).append(sample)
    number = first_value("memory_used_bytes", sources, by_name).number
    return None if number is None else round(number)
