"""What whole servers drew in each quarter hour, as exporters that ask their BMC tell it: GPUs and fans included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from collectors.labels import clean_label
from collectors.meters import HOST_METERS
from collectors.meters.meter import Covers, HostMeter, Several, Source
from collectors.meters.reader import plain
from collectors.meters.values import MOST
from collectors.prometheus.expressions import quoted
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Labels, Stretch
from tokwatch.feeds.prometheus_quarters.fleet import Fleet
from tokwatch.feeds.prometheus_quarters.observed import Observed
from tokwatch.feeds.prometheus_quarters.promql import Selector
from tokwatch.feeds.prometheus_quarters.remembered import Remembered
from tokwatch.feeds.prometheus_quarters.things import host_of, names_its_host

_TARGET: Final = ("instance", "job")


class Machine(NamedTuple):
    """One that an exporter tells of."""

    host: str
    named: str  # as the exporter itself calls it; "" where its page speaks of one machine


class Drawn(NamedTuple):
    """By one host in one quarter hour."""

    power_w: float  # the mean of what was measured
    measured_ms: int


HostPower = dict[tuple[str, int], Drawn]  # by host and start of the quarter hour


async def host_power(fleet: Fleet, stretch: Stretch) -> HostPower:
    """Of each host and quarter hour what the first meter tells, as a recorder takes the first one on a page."""
    found: HostPower = {}
    for meter in HOST_METERS:
        for selector, source in _sources(fleet, meter):
            for at, drawn in (await _of_source(fleet, meter, selector, source, stretch)).items():
                found.setdefault(at, drawn)
    return found


def _sources(fleet: Fleet, meter: HostMeter) -> Iterator[tuple[Selector, Source]]:
    """Those of the whole server that the server has: none is the sum of several series."""
    spelled = {told: name for name, told in meter.page_names(fleet.dialects.names).items()}
    for covers, source in meter.watts:
        if covers is Covers.SERVER and len(source.names) == 1 and source.names[0] in spelled:
            matchers = (f"{label}=~{quoted(f'(?i){pattern}')}" for label, pattern in source.labels)
            yield fleet.series(spelled[source.names[0]], *matchers), source


async def _of_source(fleet: Fleet, meter: HostMeter, selector: Selector, source: Source, stretch: Stretch) -> HostPower:
    named = tuple(spelling for label in meter.hosts for spelling in (label, f"exported_{label}"))
    group = promql.by(*dict.fromkeys((*fleet.identity.labels, *_TARGET, *named)))
    machine = Remembered[Machine](lambda labels: _machine(labels, meter, fleet))
    measured_ms = await Observed(fleet.asking, stretch).of(selector, group, machine)
    together = promql.mean_of_sum if source.several is Several.SUM else promql.mean
    watts: dict[tuple[str, int], dict[str, Drawn]] = defaultdict(dict)
    for labels, quarter_ms, value in await fleet.asking.quarters(together(selector, group), stretch):
        told, power_w = machine(labels), value * source.scale
        ms = measured_ms.get((told, quarter_ms), 0)
        if ms and 0 < power_w <= MOST["power_w"]:
            watts[told.host, quarter_ms][told.named] = Drawn(power_w, ms)
    return {at: drawn for at, by_name in watts.items() if (drawn := _of_host(at[0], by_name)) is not None}


def _machine(labels: Labels, meter: HostMeter, fleet: Fleet) -> Machine:
    """Where the labels of its target do not name the host, the exporter may."""
    told = plain(labels)
    named = clean_label(next((told[label] for label in meter.hosts if told.get(label)), ""))
    host = host_of(labels, fleet.identity)
    return Machine(named if named and not names_its_host(labels, fleet.identity) else host, named)


def _of_host(host: str, by_name: dict[str, Drawn]) -> Drawn | None:
    """Of a page that gathers several machines the one that is called like the host."""
    if len(by_name) == 1:
        return next(iter(by_name.values()))
    return next((drawn for named, drawn in sorted(by_name.items()) if _short(named) == _short(host)), None)


def _short(host: str) -> str:
    return host.partition(".")[0].lower()
