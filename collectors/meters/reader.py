"""Reads an exporter's page by its tables: one GpuReading for each device, and the host's watts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.exposition import ExpositionError, Metrics, PageKind, parse_lines, split
from collectors.meters import HOST_METERS, METERS
from collectors.meters.device import Device
from collectors.meters.meter import Covers, HostMeter, Meter
from collectors.meters.values import Labels, Sample, first_value
from collectors.readings import GpuReading

MOST_DEVICES = 512  # of one exporter, ever; a hostile page of 50 000 would take seconds


@dataclass(frozen=True, slots=True)
class HostPower:
    """What a host's own sensors, asked by an exporter, tell of its power."""

    power_w: float
    covers: Covers
    source: str  # "ipmi_exporter 10.0.0.7:9290"


@dataclass(frozen=True, slots=True)
class MeterPage:
    """What was read from one page."""

    meters: tuple[str, ...]  # what it was recognised as; () nothing that is known
    interval_s: float  # how often it is worth asking for
    gpus: tuple[GpuReading, ...]
    host: tuple[HostPower, ...]  # those of the whole server first


def read_meter_page(page: bytes, at_ns: int, *, origin: str, host: str) -> MeterPage:
    """Everything that the tables find on `page`. `origin` is host:port of the page, `host` this box's name.

    Raises ExpositionError on a page of no metrics.
    """
    lines = split(page)
    return read_meters(parse_lines(lines, meter_names(lines.names)), at_ns, origin=origin, host=host)


def meter_names(on_page: frozenset[str]) -> frozenset[str]:
    """Those of a page's names that a table reads; none of a page that no meter writes."""
    tables: tuple[Meter | HostMeter, ...] = (*METERS, *HOST_METERS)
    return frozenset(name for meter in tables for name in meter.page_names(on_page))


def read_meters(metrics: Metrics, at_ns: int, *, origin: str, host: str) -> MeterPage:
    """The same of a page that is parsed already, `meter_names` of it at least.

    Raises ExpositionError where it tells of more devices than any box has.
    """
    gpu_meters = [(meter, names) for meter in METERS if (names := meter.page_names(metrics.names))]
    host_meters = [(meter, names) for meter in HOST_METERS if (names := meter.page_names(metrics.names))]
    recognised: list[Meter | HostMeter] = [*(meter for meter, _ in gpu_meters), *(meter for meter, _ in host_meters)]
    labels = [plain(series.labels) for series in metrics.series]
    gpus = [gpu for meter, names in gpu_meters for gpu in _gpus(meter, names, metrics, labels, at_ns)]
    watts = [w for meter, names in host_meters for w in _host(meter, names, metrics, labels, origin, host)]
    return MeterPage(
        meters=tuple(dict.fromkeys(meter.name for meter in recognised)),
        interval_s=min((meter.interval_s for meter in recognised), default=0.0),
        gpus=tuple(gpus),
        host=tuple(power for covers in Covers for power in watts if power.covers is covers),
    )


def read_gpus(meter: Meter, metrics: Metrics, at_ns: int) -> tuple[GpuReading, ...]:
    """The devices that one table finds. Raises ExpositionError as `read_meters` does."""
    labels = [plain(series.labels) for series in metrics.series]
    return tuple(_gpus(meter, meter.page_names(metrics.names), metrics, labels, at_ns))


def plain(labels: Mapping[str, str]) -> Labels:
    """`labels` with names in lower case and without "exported_", which a Prometheus in between puts before those that
    clash with its own; the exporter's then win."""
    plain: Labels = {}
    for name, value in sorted(labels.items(), key=lambda label: label[0].startswith("exported_")):
        plain[name.lower().removeprefix("exported_")] = value
    return plain


def _gpus(
    meter: Meter, names: Mapping[str, str], metrics: Metrics, labels: Sequence[Labels], at_ns: int
) -> Iterable[GpuReading]:
    devices: dict[tuple[str, ...], Device] = {}
    for series, told, value in zip(metrics.series, labels, metrics.values, strict=True):
        name = names.get(series.name)
        identity = identity_of(meter, told)
        if name is not None and identity is not None:
            devices.setdefault(identity, Device(meter, identity)).add(Sample(name, told, value))
    if len(devices) > MOST_DEVICES:
        raise ExpositionError(f"more than {MOST_DEVICES} devices to read", PageKind.TOO_LONG)
    return (device.reading(place, at_ns) for place, device in enumerate(devices.values()) if device.metered)


def identity_of(meter: Meter, labels: Labels) -> tuple[str, ...] | None:
    for alternative in meter.identity:
        values = tuple(labels.get(label, "") for label in alternative)
        if all(values):
            return values
    return None


def _host(
    meter: HostMeter,
    names: Mapping[str, str],
    metrics: Metrics,
    labels: Sequence[Labels],
    origin: str,
    host: str,
) -> Iterable[HostPower]:
    samples = [
        Sample(names[series.name], told, value)
        for series, told, value in zip(metrics.series, labels, metrics.values, strict=True)
        if series.name in names
    ]
    by_name: dict[str, list[Sample]] = {}
    for sample in _of_this_host(meter, samples, host):
        by_name.setdefault(sample.name, []).append(sample)
    for covers in Covers:
        sources = tuple(source for covered, source in meter.watts if covered is covers)
        watts = first_value("power_w", sources, by_name).number
        if watts is not None:
            yield HostPower(watts, covers, f"{meter.name} {origin}")


def _of_this_host(meter: HostMeter, samples: list[Sample], host: str) -> list[Sample]:
    """All samples, of a page that speaks of one machine; of a page that gathers several, those of `host`."""

    def named(sample: Sample) -> str:
        return next((sample.labels[label] for label in meter.hosts if sample.labels.get(label)), "")

    if len({named(sample) for sample in samples}) < 2:
        return samples
    return [sample for sample in samples if _short(named(sample)) == _short(host)]


def _short(host: str) -> str:
    return host.partition(".")[0].lower()
