"""Tick records as series of samples in natural units: what a time series database would hold of the very same ticks.

One sample is one number that the record holds and that stands in a row of the store; what is unknown is no sample.
Counters, which the store keeps as increments, are cumulative here, and so are buckets of histograms. The time of a
record's samples is its tick's, moved to the full second where that is within 2 ms, as Prometheus does when it scrapes:
so each of them has only one time, where our rows keep two for each device.

Left out: the two times of a row; a histogram's `_count`, which its last bucket repeats; a histogram at a tick at which
nothing was observed, for then our row does not have it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from tokwatch.ledger.entries import FlowEntry, GpuEntry, HostEntry, ServerEntry, TickRecord

_GRID_MS, _TOLERANCE_MS = 1000, 2


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an entry as a metric."""

    metric: str
    scale: int  # stored integers for each unit of the metric
    counter: bool = False


_GPU: Final = {
    "energy_mj": Column("gpu_energy_joules_total", 1000, counter=True),
    "measured_ms": Column("gpu_energy_measured_seconds_total", 1000, counter=True),
    "power_mw": Column("gpu_power_watts", 1000),
    "util_permille": Column("gpu_utilization_ratio", 1000),
    "memory_used_mib": Column("gpu_memory_used_mib", 1),
    "temperature_c": Column("gpu_temperature_celsius", 1),
    "sm_clock_mhz": Column("gpu_sm_clock_mhz", 1),
    "throttle": Column("gpu_throttle_reasons", 1),
    "state": Column("gpu_state", 1),
    "owner": Column("gpu_owner", 1),
    "flags": Column("gpu_flags", 1),
    "lost_mj": Column("gpu_energy_lost_joules", 1000, counter=True),
    "tensor_permille": Column("gpu_tensor_active_ratio", 1000),
    "dram_permille": Column("gpu_dram_active_ratio", 1000),
    "memory_temperature_c": Column("gpu_memory_temperature_celsius", 1),
}
_SERVER: Final = {
    "up": Column("server_up", 1),
    "running": Column("server_requests_running", 1),
    "waiting": Column("server_requests_waiting", 1),
    "kv_permyriad": Column("server_kv_cache_usage_ratio", 10_000),
    "progress": Column("server_progress_total", 1, counter=True),
    "scrape_ms": Column("server_scrape_duration_seconds", 1000),
    "page_bytes": Column("server_page_bytes", 1),
    "flags": Column("server_flags", 1),
}
_FLOW: Final = {
    **{
        name: Column(f"model_{name}_total", 1, counter=True)
        for name in ("prompt_tokens", "cached_tokens", "output_tokens", "drafted_tokens", "accepted_tokens")
    },
    **{
        name: Column(f"model_requests_{name}_total", 1, counter=True)
        for name in ("finished", "failed", "aborted", "preempted")
    },
    "flags": Column("model_flags", 1),
}
_HOST: Final = {
    "cpu_permille": Column("host_cpu_ratio", 1000),
    "memory_used_mib": Column("host_memory_used_mib", 1),
    "package_energy_mj": Column("host_package_energy_joules_total", 1000, counter=True),
    "self_cpu_ms": Column("self_cpu_seconds_total", 1000, counter=True),
    "self_rss_kib": Column("self_resident_memory_kib", 1),
    "flags": Column("host_flags", 1),
    "power_mw": Column("host_power_watts", 1000),
    "energy_mj": Column("host_energy_joules_total", 1000, counter=True),
}
_MICRO: Final = 1_000_000


@dataclass(slots=True)
class Series:
    """One series: Unix milliseconds and scaled integers, in order."""

    metric: str
    labels: dict[str, str]
    scale: int
    times_ms: array[int] = field(default_factory=lambda: array("q"))
    scaled: array[int] = field(default_factory=lambda: array("q"))
    total: int = 0  # of a counter's increments so far

    def values(self) -> Iterator[float]:
        return (number / self.scale for number in self.scaled)


class Samples:
    """All series of some ticks."""

    def __init__(self, records: Iterable[TickRecord]) -> None:
        self._series: dict[tuple[object, ...], Series] = {}
        self._time_ms = 0
        for record in records:
            self._time_ms = _aligned(record.tick.tick_ms)
            self._add("gpu", _GPU, record.gpus)
            self._add("server", _SERVER, record.servers)
            self._add("flow", _FLOW, record.flows)
            self._add("host", _HOST, record.hosts)
            for flow in record.flows:
                self._add_histograms(flow)

    @property
    def series(self) -> list[Series]:
        """By metric, each metric's together."""
        return sorted(self._series.values(), key=lambda each: each.metric)

    @property
    def values(self) -> int:
        return sum(len(each.scaled) for each in self._series.values())

    def _add(
        self,
        kind: str,
        columns: dict[str, Column],
        entries: Iterable[GpuEntry | ServerEntry | FlowEntry | HostEntry],
    ) -> None:
        for entry in entries:
            for name, column in columns.items():
                value: int | None = getattr(entry, name)
                if value is not None:
                    self._sample((kind, name, entry.entity), column.metric, kind, entry.entity, {}, column, value)

    def _add_histograms(self, flow: FlowEntry) -> None:
        for histogram in flow.histograms:
            metric = f"model_{histogram.name}"
            bucket = Column(f"{metric}_bucket", 1, counter=True)
            edges = (*map(repr, histogram.edges), "+Inf")
            for edge, count in zip(edges, accumulate(histogram.counts), strict=True):
                key = (flow.entity, metric, edge)
                self._sample(key, bucket.metric, "flow", flow.entity, {"le": edge}, bucket, count)
            sum_ = Column(f"{metric}_sum", _MICRO, counter=True)
            self._sample((flow.entity, metric), sum_.metric, "flow", flow.entity, {}, sum_, histogram.sum_us)

    def _sample(
        self,
        key: tuple[object, ...],
        metric: str,
        kind: str,
        entity: int,
        labels: dict[str, Any],
        column: Column,
        value: int,
    ) -> None:
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(metric, {kind: str(entity), **labels}, column.scale)
        series.total = series.total + value if column.counter else int(value)
        series.times_ms.append(self._time_ms)
        series.scaled.append(series.total)


def _aligned(tick_ms: int) -> int:
    grid_ms = round(tick_ms / _GRID_MS) * _GRID_MS
    return grid_ms if abs(tick_ms - grid_ms) <= _TOLERANCE_MS else tick_ms
