"""Quarter-hour sums of entries. Pure: entries in, sums out, so that what is stored and what is computed agree.

A quarter hour is (quarter_ms, quarter_ms + QUARTER_MS] in UTC, as an entry is (t0_ms, t1_ms]. An entry across an edge
is split: time by clipping, counts and energy by largest remainder, so that the parts add up to the entry exactly.
`grain_ms` asks for rows of another length, such as minutes; then quarter_ms is the start of one of those.

Energy goes to the time it was drawn in: after missed or held readings that began before the entry did. Of flows only
what counts at this server is summed (see `counted`), for quarter rows are added up across servers; what is counted at
another one has rows of its own (`elsewhere_quarters`), which are never added to those.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, HistogramEntry, HostEntry, State
from tokwatch.ledger.sums import counted, elsewhere
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter

QUARTER_MS: Final = 15 * 60_000
_IDLE: Final = frozenset(state.value for state in State if state.idle)
_GAP: Final = Flag.GAP.value  # a plain int: `&` with an IntFlag costs a microsecond
_FLOW_COUNTS: Final = (*FlowEntry.__struct_fields__[3:10], "drafted_tokens", "accepted_tokens")

RolledUp = GpuEntry | FlowEntry | HostEntry


def quarter_of(instant_ms: int, grain_ms: int = QUARTER_MS) -> int:
    """Start of the quarter hour that holds an instant; an instant on an edge ends the earlier one."""
    return (instant_ms - 1) // grain_ms * grain_ms


def first_quarter(entry: RolledUp, grain_ms: int = QUARTER_MS) -> int:
    """Start of the first quarter hour that an entry has a part in."""
    from_ms = min(entry.t0_ms, entry.t1_ms - entry.measured_ms) if isinstance(entry, GpuEntry) else entry.t0_ms
    return quarter_of(min(from_ms + 1, entry.t1_ms), grain_ms)


def gpu_quarters(
    entries: Iterable[GpuEntry], run: int, from_ms: int, to_ms: int, grain_ms: int = QUARTER_MS
) -> list[GpuQuarter]:
    """Sums of those quarters whose start lies in [from_ms, to_ms), by quarter, entity and owner."""
    sums: dict[tuple[int, int, int], _GpuSums] = {}
    for entry in entries:
        quarters = _quarters(entry, grain_ms)
        parts_ms = _clipped(quarters, entry.t0_ms, entry.t1_ms)
        energy = _energy_parts(entry, quarters, parts_ms)
        for quarter_ms, part_ms, drawn in zip(quarters, parts_ms, energy, strict=True):
            if from_ms <= quarter_ms < to_ms:
                key = (quarter_ms, entry.entity, entry.owner)
                if key not in sums:
                    sums[key] = _GpuSums()
                sums[key].add_energy(*drawn, idle=entry.state in _IDLE and not entry.flags & _GAP)
                sums[key].add(entry, part_ms, ends_here=quarter_ms == quarters[-1])
    return [sums[key].close(*key, run) for key in sorted(sums)]


def flow_quarters(
    entries: Iterable[FlowEntry], run: int, from_ms: int, to_ms: int, grain_ms: int = QUARTER_MS
) -> list[FlowQuarter]:
    """Sums of those quarters whose start lies in [from_ms, to_ms), by quarter and entity: each token once."""
    return _flow_quarters(map(counted, entries), run, from_ms, to_ms, grain_ms)


def elsewhere_quarters(
    entries: Iterable[FlowEntry], run: int, from_ms: int, to_ms: int, grain_ms: int = QUARTER_MS
) -> list[FlowQuarter]:
    """The same of what `flow_quarters` leaves out: what servers saw pass that is counted at others."""
    seen = (entry for entry in map(elsewhere, entries) if entry is not None)
    return _flow_quarters(seen, run, from_ms, to_ms, grain_ms)


def _flow_quarters(
    entries: Iterable[FlowEntry], run: int, from_ms: int, to_ms: int, grain_ms: int
) -> list[FlowQuarter]:
    sums: dict[tuple[int, int], _FlowSums] = {}
    for entry in entries:
        quarters = _quarters(entry, grain_ms)
        parts_ms = _clipped(quarters, entry.t0_ms, entry.t1_ms)
        for quarter_ms, part_ms, part in zip(quarters, parts_ms, _flow_parts(entry, parts_ms), strict=True):
            if from_ms <= quarter_ms < to_ms:
                key = (quarter_ms, entry.entity)
                if key not in sums:
                    sums[key] = _FlowSums()
                sums[key].add(part, part_ms, ends_here=quarter_ms == quarters[-1])
    return [sums[key].close(*key, run) for key in sorted(sums)]


def host_quarters(
    entries: Iterable[HostEntry], run: int, from_ms: int, to_ms: int, grain_ms: int = QUARTER_MS
) -> list[HostQuarter]:
    """Sums of those quarters whose start lies in [from_ms, to_ms), by quarter and entity."""
    sums: dict[tuple[int, int], _HostSums] = {}
    for entry in entries:
        quarters = _quarters(entry, grain_ms)
        parts_ms = _clipped(quarters, entry.t0_ms, entry.t1_ms)
        drawn = zip(_shares(entry.energy_mj, parts_ms), _shares(entry.package_energy_mj, parts_ms), strict=True)
        for quarter_ms, part_ms, energies in zip(quarters, parts_ms, drawn, strict=True):
            if from_ms <= quarter_ms < to_ms:
                key = (quarter_ms, entry.entity)
                if key not in sums:
                    sums[key] = _HostSums()
                sums[key].add(entry.flags, part_ms, *energies, ends_here=quarter_ms == quarters[-1])
    return [sums[key].close(*key, run) for key in sorted(sums)]


def _quarters(entry: RolledUp, grain_ms: int) -> range:
    """Starts of the quarters that an entry has a part in."""
    return range(first_quarter(entry, grain_ms), quarter_of(entry.t1_ms, grain_ms) + 1, grain_ms)


def _clipped(quarters: range, t0_ms: int, t1_ms: int) -> Sequence[int]:
    """Milliseconds of (t0, t1] in each of the quarters."""
    if len(quarters) == 1:
        return (t1_ms - t0_ms,)
    return [clip_ms(t0_ms, t1_ms, start, start + quarters.step) for start in quarters]


def _energy_parts(entry: GpuEntry, quarters: range, parts_ms: Sequence[int]) -> Iterable[tuple[int | None, int, int]]:
    """(energy_mj, measured_ms, lost_mj) of each quarter."""
    drawn_ms = lost_ms = parts_ms
    drawn_from_ms = entry.t1_ms - entry.measured_ms
    if entry.measured_ms and drawn_from_ms != entry.t0_ms:
        drawn_ms = _clipped(quarters, drawn_from_ms, entry.t1_ms)
        if entry.lost_mj < 0 and drawn_from_ms < entry.t0_ms:  # taken back from the entries that told it
            lost_ms = _clipped(quarters, drawn_from_ms, entry.t0_ms)
    return zip(
        _shares(entry.energy_mj, drawn_ms),
        split_counts(entry.measured_ms, drawn_ms),
        split_counts(entry.lost_mj, lost_ms),
        strict=True,
    )


def _shares(total: int | None, parts_ms: Sequence[int]) -> Sequence[int | None]:
    return (None,) * len(parts_ms) if total is None else split_counts(total, parts_ms)


def _flow_parts(entry: FlowEntry, parts_ms: Sequence[int]) -> Iterable[FlowEntry]:
    """The entry with its counts shared among the parts; its times stay those of the whole."""
    if len(parts_ms) == 1:
        return (entry,)
    counts = {name: _shares(getattr(entry, name), parts_ms) for name in _FLOW_COUNTS}
    histograms = [_histogram_parts(histogram, parts_ms) for histogram in entry.histograms]
    return (
        replace(
            entry,
            **{name: shares[index] for name, shares in counts.items()},
            histograms=tuple(parts[index] for parts in histograms),
        )
        for index in range(len(parts_ms))
    )


def _histogram_parts(histogram: HistogramEntry, parts_ms: Sequence[int]) -> list[HistogramEntry]:
    counts_by_part = zip(*(split_counts(count, parts_ms) for count in histogram.counts), strict=True)
    sums_us = split_counts(histogram.sum_us, parts_ms)
    return [
        HistogramEntry(histogram.name, histogram.edges, counts, sum_us)
        for counts, sum_us in zip(counts_by_part, sums_us, strict=True)
    ]


def _plus(sum_: int | None, value: int | None) -> int | None:
    """Unknown adds nothing, and a sum of unknowns only is unknown."""
    if value is None:
        return sum_
    return value if sum_ is None else sum_ + value


def _larger(largest: int | None, value: int | None) -> int | None:
    if value is None:
        return largest
    return value if largest is None else max(largest, value)


class _GpuSums:
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

    def add_energy(self, energy_mj: int | None, measured_ms: int, lost_mj: int, *, idle: bool) -> None:
        self.energy_mj = _plus(self.energy_mj, energy_mj)
        self.idle_energy_mj = _plus(self.idle_energy_mj, energy_mj if idle or energy_mj is None else 0)
        self.measured_ms += measured_ms
        self.lost_mj += lost_mj

    def add(self, entry: GpuEntry, part_ms: int, ends_here: bool) -> None:
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

    def close(self, quarter_ms: int, entity: int, owner: int, run: int) -> GpuQuarter:
        return GpuQuarter(quarter_ms=quarter_ms, run=run, entity=entity, owner=owner, **vars(self))


class _FlowSums:
    def __init__(self) -> None:
        self.covered_ms = self.entries = self.flags = 0
        self.counts: dict[str, int | None] = dict.fromkeys(_FLOW_COUNTS)
        self.histograms: dict[tuple[str, tuple[float, ...]], list[int]] = {}  # the last number is sum_us

    def add(self, part: FlowEntry, part_ms: int, ends_here: bool) -> None:
        self.flags |= part.flags
        self.entries += ends_here
        if part.prompt_tokens is not None or part.output_tokens is not None:
            self.covered_ms += part_ms
        for name, sum_ in self.counts.items():
            self.counts[name] = _plus(sum_, getattr(part, name))
        for histogram in part.histograms:
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


class _HostSums:
    def __init__(self) -> None:
        self.observed_ms = self.energy_ms = self.package_ms = self.entries = self.flags = 0
        self.energy_mj: int | None = None
        self.package_energy_mj: int | None = None

    def add(
        self, flags: int, part_ms: int, energy_mj: int | None, package_energy_mj: int | None, *, ends_here: bool
    ) -> None:
        self.flags |= flags
        self.entries += ends_here
        self.energy_mj = _plus(self.energy_mj, energy_mj)
        self.package_energy_mj = _plus(self.package_energy_mj, package_energy_mj)
        self.observed_ms += 0 if flags & _GAP else part_ms
        self.energy_ms += 0 if energy_mj is None else part_ms
        self.package_ms += 0 if package_energy_mj is None else part_ms

    def close(self, quarter_ms: int, entity: int, run: int) -> HostQuarter:
        return HostQuarter(quarter_ms=quarter_ms, run=run, entity=entity, **vars(self))
