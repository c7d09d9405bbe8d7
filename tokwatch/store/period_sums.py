"""Rows of minutes or quarter hours of all four kinds at once: made from entries, added up, put together. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tokwatch.ledger.entries import FlowEntry, GpuEntry, HostEntry
from tokwatch.store.quarter_rows import FlowQuarter
from tokwatch.store.quarter_sums import FlowSums, GpuSums, HostSums
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import elsewhere_quarters, flow_quarters, gpu_quarters, host_quarters


def sums_of(
    gpus: Iterable[GpuEntry],
    flows: Sequence[FlowEntry],
    hosts: Iterable[HostEntry],
    *,
    run: int,
    from_ms: int,
    to_ms: int,
    grain_ms: int,
) -> Quarters:
    """What these entries add to the periods that start in [from_ms, to_ms)."""
    return Quarters(
        gpu_quarters(gpus, run, from_ms, to_ms, grain_ms),
        flow_quarters(flows, run, from_ms, to_ms, grain_ms),
        host_quarters(hosts, run, from_ms, to_ms, grain_ms),
        elsewhere_quarters(flows, run, from_ms, to_ms, grain_ms),
    )


def added(parts: Iterable[Quarters], grain_ms: int) -> Quarters:
    """Sums of rows, as rows of periods of this length; sums and maxima, and every flag that occurred."""
    gpus: defaultdict[tuple[int, int, int, int], GpuSums] = defaultdict(GpuSums)
    flows: defaultdict[tuple[int, int, int], FlowSums] = defaultdict(FlowSums)
    hosts: defaultdict[tuple[int, int, int], HostSums] = defaultdict(HostSums)
    elsewhere: defaultdict[tuple[int, int, int], FlowSums] = defaultdict(FlowSums)
    for part in parts:
        for gpu in part.gpus:
            gpus[gpu.quarter_ms // grain_ms * grain_ms, gpu.run, gpu.entity, gpu.owner].add_row(gpu)
        for flow in part.flows:
            flows[flow.quarter_ms // grain_ms * grain_ms, flow.run, flow.entity].add_row(flow)
        for host in part.hosts:
            hosts[host.quarter_ms // grain_ms * grain_ms, host.run, host.entity].add_row(host)
        for flow in part.elsewhere:
            elsewhere[flow.quarter_ms // grain_ms * grain_ms, flow.run, flow.entity].add_row(flow)
    return Quarters(
        [sums.close(start_ms, entity, owner, run) for (start_ms, run, entity, owner), sums in sorted(gpus.items())],
        _closed(flows),
        [sums.close(start_ms, entity, run) for (start_ms, run, entity), sums in sorted(hosts.items())],
        _closed(elsewhere),
    )


def together(parts: Sequence[Quarters]) -> Quarters:
    """Rows of different periods or runs, in order."""
    if len(parts) == 1:
        return parts[0]
    return Quarters(
        sorted(
            (row for part in parts for row in part.gpus),
            key=lambda row: (row.quarter_ms, row.run, row.entity, row.owner),
        ),
        sorted((row for part in parts for row in part.flows), key=_flow_key),
        sorted((row for part in parts for row in part.hosts), key=lambda row: (row.quarter_ms, row.run, row.entity)),
        sorted((row for part in parts for row in part.elsewhere), key=_flow_key),
    )


def _closed(flows: dict[tuple[int, int, int], FlowSums]) -> list[FlowQuarter]:
    return [flows[key].close(key[0], key[2], key[1]) for key in sorted(flows)]


def _flow_key(row: FlowQuarter) -> tuple[int, int, int]:
    return row.quarter_ms, row.run, row.entity
