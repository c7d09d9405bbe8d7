"""Running sums: what parts of entries, or rows of shorter periods, add up to. Pure; one class for each kind of row."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, HistogramEntry, State
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter

FLOW_COUNTS: Final = (*FlowEntry.__struct_fields__[3:10], "drafted_tokens", "accepted_tokens")
_IDLE: Final = frozenset(state.value for state in State if state.idle)
_GAP: Final = Flag.GAP.value  # a plain int: `&` with an IntFlag costs a microsecond
_GPU_SUMS: Final = (
    *("gap_ms", "measured_ms", "entries", "lost_mj", "power_mw_ms", "power_ms", "util_permille_ms", "util_ms"),
    *("memory_mib_ms", "memory_ms", "tensor_permille_ms", "tensor_ms", "dram_permille_ms", "dram_ms"),
)


def _plus(sum_: int | None, value: int | None) -> int | None:
    """Unknown adds nothing, and a sum of unknowns only is unknown."""
    if value is None:
        return sum_
    return value if sum_ is None else sum_ + value


def _larger(largest: int | None, value: int | None) -> int | None:
    if value is None:
        return largest
    return value if largest is None else max(largest, value)


class GpuSums:
    """Of one GPU serving one owner."""

    def __init__(self) -> None:
        self.state_ms: dict[int, int] = {}
        self.gap_ms = self.measured_ms = self.entries = self.flags = 0
        self.energy_mj: int | None = None
        self.idle_energy_mj: int | None = None
        self.power_max_mw: int | None = None
        self.temperature_max_c: int | None = None
        self.power_mw_ms = self.power_ms = self.util_permille_ms = self.util_ms = 0
        self.memory_mib_ms = self.memory_ms = self.lost_mj = 0
        self.tensor_permille_ms = self.tensor_ms = self.dram_permille_ms = self.dram_ms = 0

    def add(
        self, entry: GpuEntry, part_ms: int, energy_mj: int | None, measured_ms: int, lost_mj: int, *, ends_here: bool
    ) -> None:
        """A part of an entry, with its share of what the entry counted."""
        self.energy_mj = _plus(self.energy_mj, energy_mj)
        idle = entry.state in _IDLE and not entry.flags & _GAP
        self.idle_energy_mj = _plus(self.idle_energy_mj, energy_mj if idle or energy_mj is None else 0)
        self.measured_ms += measured_ms
        self.lost_mj += lost_mj
        self.flags |= entry.flags
        if ends_here:  # gauges are those of t1
            self.entries += 1
            self.power_max_mw = _larger(self.power_max_mw, entry.power_mw)
            self.temperature_max_c = _larger(self.temperature_max_c, entry.temperature_c)
        if entry.flags & _GAP:
            self.gap_ms += part_ms
            return
        if part_ms:
            self.state_ms[entry.state] = self.state_ms.get(entry.state, 0) + part_ms
        if entry.power_mw is not None:
            self.power_mw_ms += entry.power_mw * part_ms
            self.power_ms += part_ms
        if entry.util_permille is not None:
            self.util_permille_ms += entry.util_permille * part_ms
            self.util_ms += part_ms
        if entry.memory_used_mib is not None:
            self.memory_mib_ms += entry.memory_used_mib * part_ms
            self.memory_ms += part_ms
        if entry.tensor_permille is not None:
            self.tensor_permille_ms += entry.tensor_permille * part_ms
            self.tensor_ms += part_ms
        if entry.dram_permille is not None:
            self.dram_permille_ms += entry.dram_permille * part_ms
            self.dram_ms += part_ms

    def add_row(self, row: GpuQuarter) -> None:
        self.energy_mj = _plus(self.energy_mj, row.energy_mj)
        self.idle_energy_mj = _plus(self.idle_energy_mj, row.idle_energy_mj)
        self.power_max_mw = _larger(self.power_max_mw, row.power_max_mw)
        self.temperature_max_c = _larger(self.temperature_max_c, row.temperature_max_c)
        self.flags |= row.flags
        for state, ms in row.state_ms.items():
            self.state_ms[state] = self.state_ms.get(state, 0) + ms
        for name in _GPU_SUMS:
            setattr(self, name, getattr(self, name) + getattr(row, name))

    def close(self, quarter_ms: int, entity: int, owner: int, run: int) -> GpuQuarter:
        return GpuQuarter(quarter_ms=quarter_ms, run=run, entity=entity, owner=owner, **vars(self))


class FlowSums:
    """Of one flow."""

    def __init__(self) -> None:
        self.covered_ms = self.entries = self.flags = 0
        self.counts: dict[str, int | None] = dict.fromkeys(FLOW_COUNTS)
        self.histograms: dict[tuple[str, tuple[float, ...]], list[int]] = {}  # the last number is sum_us

    def add(self, part: FlowEntry, part_ms: int, *, ends_here: bool) -> None:
        """A part of an entry: its counts are the part's, its times those of the whole."""
        self.entries += ends_here
        if part.prompt_tokens is not None or part.output_tokens is not None:
            self.covered_ms += part_ms
        self._count(part)

    def add_row(self, row: FlowQuarter) -> None:
        self.entries += row.entries
        self.covered_ms += row.covered_ms
        self._count(row)

    def _count(self, of: FlowEntry | FlowQuarter) -> None:
        self.flags |= of.flags
        for name, sum_ in self.counts.items():
            self.counts[name] = _plus(sum_, getattr(of, name))
        for histogram in of.histograms:
            key = (histogram.name, histogram.edges)
            sums = self.histograms.get(key)
            values = (*histogram.counts, histogram.sum_us)
            self.histograms[key] = list(values) if sums is None else list(map(int.__add__, sums, values))

    def close(self, quarter_ms: int, entity: int, run: int) -> FlowQuarter:
        return FlowQuarter(
            quarter_ms=quarter_ms,
            run=run,
            entity=entity,
            covered_ms=self.covered_ms,
            **self.counts,
            histograms=tuple(
                HistogramEntry(name, edges, tuple(sums[:-1]), sums[-1])
                for (name, edges), sums in sorted(self.histograms.items())
            ),
            entries=self.entries,
            flags=self.flags,
        )


class HostSums:
    """Of one box."""

    def __init__(self) -> None:
        self.observed_ms = self.energy_ms = self.package_ms = self.entries = self.flags = 0
        self.energy_mj: int | None = None
        self.package_energy_mj: int | None = None

    def add(
        self, flags: int, part_ms: int, energy_mj: int | None, package_energy_mj: int | None, *, ends_here: bool
    ) -> None:
        """A part of an entry, with its share of what the entry counted."""
        self.flags |= flags
        self.entries += ends_here
        self.energy_mj = _plus(self.energy_mj, energy_mj)
        self.package_energy_mj = _plus(self.package_energy_mj, package_energy_mj)
        self.observed_ms += 0 if flags & _GAP else part_ms
        self.energy_ms += 0 if energy_mj is None else part_ms
        self.package_ms += 0 if package_energy_mj is None else part_ms

    def add_row(self, row: HostQuarter) -> None:
        self.flags |= row.flags
        self.entries += row.entries
        self.energy_mj = _plus(self.energy_mj, row.energy_mj)
        self.package_energy_mj = _plus(self.package_energy_mj, row.package_energy_mj)
        self.observed_ms += row.observed_ms
        self.energy_ms += row.energy_ms
        self.package_ms += row.package_ms

    def close(self, quarter_ms: int, entity: int, run: int) -> HostQuarter:
        return HostQuarter(quarter_ms=quarter_ms, run=run, entity=entity, **vars(self))
