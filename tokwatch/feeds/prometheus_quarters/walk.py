"""From a Prometheus to a store of quarter hours: a stretch of hours at a time, and of many GPUs a part of the hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from collectors.prometheus.expressions import any_of
from tokwatch.feeds.prometheus_quarters.asking import Stretch
from tokwatch.feeds.prometheus_quarters.counted_once import count_once
from tokwatch.feeds.prometheus_quarters.fleet import Fleet
from tokwatch.feeds.prometheus_quarters.gpus import gpus, hosts_of_pods, presence_series
from tokwatch.feeds.prometheus_quarters.host_power import host_power
from tokwatch.feeds.prometheus_quarters.servers import servers
from tokwatch.feeds.prometheus_quarters.written import Written
from tokwatch.store.quarter_import import QuarterImport
from tokwatch.store.rollup import QUARTER_MS

Told = Callable[[float], None]  # the part that is done, 0..1

_HOUR_MS: Final = 4 * QUARTER_MS
_LONGEST_HOURS: Final = 6
_TARGETS_AND_HOURS: Final = 1500  # at once: the answers and rows of 1500 boxes of 8 GPUs for an hour take some 60 MB
_MOST_TARGETS: Final = 2000  # asked for as one, without naming them
_NAMED_CHARACTERS: Final = 1200  # of targets in a selector; a query has up to seven, and VictoriaMetrics reads 16 KiB


async def walk(
    fleet: Fleet, within: Stretch, into: QuarterImport, *, traffic: bool = True, told: Told | None = None
) -> None:
    """Write the quarter rows of all GPUs, and with `traffic` those of flows. Raises QueryError and StoreError."""
    written = Written(into)
    targets = await _targets(fleet, within)
    parts = list(_parts(targets))
    for stretch in _stretches(within, len(targets)):
        fleet.asking.about = stretch
        pods = await hosts_of_pods(fleet, stretch)
        found = await servers(fleet, pods, stretch, traffic=traffic)
        count_once(found, fleet.declared)
        written.add_servers(found)
        power = await host_power(fleet, stretch)
        for number, part in enumerate(parts):
            written.add_gpus(await gpus(fleet, part, stretch), found)
            if told:
                done_ms = stretch.start_ms - within.start_ms
                done_ms += (stretch.end_ms - stretch.start_ms) * (number + 1) // len(parts)
                told(done_ms / (within.end_ms - within.start_ms))
        written.add_hosts(power)


async def _targets(fleet: Fleet, within: Stretch) -> list[str]:
    """The instances that tell of GPUs."""
    series = [presence_series(fleet, names) for names in fleet.dialects.meters]
    matches = [str(each) for each in series if each is not None]
    return sorted(await fleet.asking.label_values("instance", matches, within)) if matches else []


def _parts(targets: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Targets that are asked for together; () all of them."""
    if len(targets) <= _MOST_TARGETS:
        yield ()
        return
    part: list[str] = []
    for target in targets:
        if part and len(any_of((*part, target))) > _NAMED_CHARACTERS:
            yield tuple(part)
            part = []
        part.append(target)
    yield tuple(part)


def _stretches(within: Stretch, targets: int) -> Iterator[Stretch]:
    """Of whole hours but for the ends; the more targets the shorter, so that memory does not grow with them."""
    hours = max(1, min(_LONGEST_HOURS, _TARGETS_AND_HOURS // max(1, targets)))
    start_ms = within.start_ms
    while start_ms < within.end_ms:
        end_ms = min(within.end_ms, start_ms // _HOUR_MS * _HOUR_MS + hours * _HOUR_MS)
        yield Stretch(start_ms, end_ms)
        start_ms = end_ms
