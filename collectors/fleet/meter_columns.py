"""Columns of an exporter's page, by a table of `meters`: where each value is one sample, of one source for all GPUs.

Parts of divided boards and sums of tiles are the strict reader's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.exposition import Metrics
from collectors.fleet.columns import ABSENT, MIB, UNITS, Column, Pick, Values, column, picker
from collectors.fleet.samples import GpuSample, PageAbout, PageSample
from collectors.meters.meter import Meter, Source
from collectors.meters.reader import identity_of, plain
from collectors.readings import GpuReading

_Device = dict[str, list[int]]  # positions of one device's series, by the table's names


@dataclass(frozen=True, slots=True)
class MeterColumns:
    """A page of one meter."""

    about: PageAbout
    names: frozenset[str]
    columns: Mapping[str, Column]  # by Meter.values' field; those that the page tells
    stands: Pick

    def sample(self, values: Values) -> PageSample:
        return PageSample(self.about, gpu_samples(self.columns, len(self.about.gpus), values), (), ())


def meter_columns(meter: Meter, metrics: Metrics, gpus: Sequence[GpuReading]) -> MeterColumns | None:
    """The columns of the page that `gpus` were strictly read from; None where it is not that simple."""
    found = gpu_columns(meter, metrics, len(gpus))
    if found is None:
        return None
    columns, names = found
    about = PageAbout(meter.name, gpus=tuple(gpu.facts for gpu in gpus))
    return MeterColumns(about, names, columns, columns["energy_mj"].pick if "energy_mj" in columns else picker(()))


def gpu_samples(
    columns: Mapping[str, Column], gpus: int, values: Values, states: Sequence[int | None] = ()
) -> tuple[GpuSample, ...]:
    """states: one of each GPU, on pages that tell them."""
    nothing: list[int | None] = [None] * gpus
    told = [columns[field].read(values) if field in columns else nothing for field in UNITS]
    return tuple(map(GpuSample, *told, states or nothing))


def gpu_columns(meter: Meter, metrics: Metrics, gpus: int) -> tuple[dict[str, Column], frozenset[str]] | None:
    """Columns by field, and the names that they read; None where there are not `gpus` plain devices."""
    names = meter.page_names(metrics.names)
    devices: dict[tuple[str, ...], _Device] = {}
    for position, series in enumerate(metrics.series):
        name, identity = names.get(series.name), identity_of(meter, plain(series.labels))
        if name is not None and name not in meter.info and identity is not None:
            devices.setdefault(identity, {}).setdefault(name, []).append(position)
    if len(devices) != gpus or any(len(places) > 1 for device in devices.values() for places in device.values()):
        return None
    columns: dict[str, Column] = {}
    read: set[int] = set()
    for field in UNITS:
        source = next((each for each in meter.values.get(field, ()) if _is_told(each, devices.values())), None)
        if source is not None:
            positions = [device.get(source.names[0], [ABSENT])[0] for device in devices.values()]
            columns[field] = column(field, positions, source.scale)
            read.update(positions)
    return columns, frozenset(metrics.series[position].name for position in read - {ABSENT})


def gpu_sample(reading: GpuReading) -> GpuSample:
    """The sample of a strict reading."""
    used = reading.memory_used_bytes
    return GpuSample(
        energy_mj=reading.energy_mj,
        power_mw=None if reading.power_w is None else round(reading.power_w * 1000),
        util_permille=None if reading.utilization is None else round(reading.utilization * 1000),
        memory_used_mib=None if used is None else round(used / MIB),
        temperature_c=reading.temperature_c,
    )


def _is_told(source: Source, devices: Iterable[_Device]) -> bool:
    """A single series of any device. What comes of another source is found when the sample is compared."""
    return len(source.names) == 1 and not source.labels and any(source.names[0] in device for device in devices)
