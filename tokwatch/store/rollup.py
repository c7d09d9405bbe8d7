"""Quarter-hour sums of entries. Pure: entries in, sums out, so that what is stored and what is computed agree.

A quarter hour is (quarter_ms, quarter_ms + QUARTER_MS] in UTC, as an entry is (t0_ms, t1_ms]. An entry across an edge
is split: time by clipping, counts and energy by largest remainder, so that the parts add up to the entry exactly.
`grain_ms` asks for rows of another length, such as minutes; then quarter_ms is the start of one of those.

An entry is split at every minute's edge, whatever the grain: so minutes add up to quarter hours exactly, not only in
the long run. One that reaches back for more than an hour (nobody watched, or could read the energy) is split at
quarter hours, and no minute has a part of it: it says nothing of any one minute, and would fill thousands.

Energy goes to the time it was drawn in: after missed or held readings that began before the entry did. Of flows only
what counts at this server is summed (see `counted`), for quarter rows are added up across servers; what is counted at
another one has rows of its own (`elsewhere_quarters`), which are never added to those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import FlowEntry, GpuEntry, HistogramEntry, HostEntry
from tokwatch.ledger.sums import counted, elsewhere
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter, HostQuarter
from tokwatch.store.quarter_sums import FLOW_COUNTS, FlowSums, GpuSums, HostSums

MINUTE_MS: Final = 60_000
QUARTER_MS: Final = 15 * MINUTE_MS
LONGEST_IN_MINUTES_MS: Final = 60 * MINUTE_MS

RolledUp = GpuEntry | FlowEntry | HostEntry
E = TypeVar("E", bound=RolledUp)


def quarter_of(instant_ms: int, grain_ms: int = QUARTER_MS) -> int:
    """Start of the quarter hour that holds an instant; an instant on an edge ends the earlier one."""
    return (instant_ms - 1) // grain_ms * grain_ms


def first_quarter(entry: RolledUp, grain_ms: int = QUARTER_MS) -> int:
    """Start of the first quarter hour that an entry reaches back into."""
    return quarter_of(min(_reaches_from_ms(entry) + 1, entry.t1_ms), grain_ms)


def in_minutes(entry: RolledUp) -> bool:
    """Whether the entry is short enough for minutes to have parts of it."""
    return entry.t1_ms - _reaches_from_ms(entry) <= LONGEST_IN_MINUTES_MS


def _reaches_from_ms(entry: RolledUp) -> int:
    """Where the entry begins, or the time that its energy was drawn in."""
    return min(entry.t0_ms, entry.t1_ms - entry.measured_ms) if isinstance(entry, GpuEntry) else entry.t0_ms


def gpu_quarters(
    entries: Iterable[GpuEntry], run: int, from_ms: int, to_ms: int, grain_ms: int = QUARTER_MS
) -> list[GpuQuarter]:
    """Sums of those quarters whose start lies in [from_ms, to_ms), by quarter, entity and owner."""
    sums: defaultdict[tuple[int, int, int], GpuSums] = defaultdict(GpuSums)
    for entry in _divisible(entries, grain_ms):
        pieces = _pieces(entry)
        parts_ms = _clipped(pieces, entry.t0_ms, entry.t1_ms)
        energy = _energy_parts(entry, pieces, parts_ms)
        for piece_ms, part_ms, drawn in zip(pieces, parts_ms, energy, strict=True):
            quarter_ms = piece_ms // grain_ms * grain_ms
            if from_ms <= quarter_ms < to_ms:
                key = (quarter_ms, entry.entity, entry.owner)
                sums[key].add(entry, part_ms, *drawn, ends_here=piece_ms == pieces[-1])
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
    sums: defaultdict[tuple[int, int], FlowSums] = defaultdict(FlowSums)
    for entry in _divisible(entries, grain_ms):
        pieces = _pieces(entry)
        parts_ms = _clipped(pieces, entry.t0_ms, entry.t1_ms)
        for piece_ms, part_ms, part in zip(pieces, parts_ms, _flow_parts(entry, parts_ms), strict=True):
            quarter_ms = piece_ms // grain_ms * grain_ms
            if from_ms <= quarter_ms < to_ms:
                sums[quarter_ms, entry.entity].add(part, part_ms, ends_here=piece_ms == pieces[-1])
    return [sums[key].close(*key, run) for key in sorted(sums)]


def host_quarters(
    entries: Iterable[HostEntry], run: int, from_ms: int, to_ms: int, grain_ms: int = QUARTER_MS
) -> list[HostQuarter]:
    """Sums of those quarters whose start lies in [from_ms, to_ms), by quarter and entity."""
    sums: defaultdict[tuple[int, int], HostSums] = defaultdict(HostSums)
    for entry in _divisible(entries, grain_ms):
        pieces = _pieces(entry)
        parts_ms = _clipped(pieces, entry.t0_ms, entry.t1_ms)
        drawn = zip(_shares(entry.energy_mj, parts_ms), _shares(entry.package_energy_mj, parts_ms), strict=True)
        for piece_ms, part_ms, energies in zip(pieces, parts_ms, drawn, strict=True):
            quarter_ms = piece_ms // grain_ms * grain_ms
            if from_ms <= quarter_ms < to_ms:
                sums[quarter_ms, entry.entity].add(entry.flags, part_ms, *energies, ends_here=piece_ms == pieces[-1])
    return [sums[key].close(*key, run) for key in sorted(sums)]


def _divisible(entries: Iterable[E], grain_ms: int) -> Iterable[E]:
    """Those that rows of this length have parts of."""
    return entries if grain_ms >= QUARTER_MS else filter(in_minutes, entries)


def _pieces(entry: RolledUp) -> range:
    """Starts of the minutes that an entry has a part in, or of the quarter hours of a long one."""
    piece_ms = MINUTE_MS if in_minutes(entry) else QUARTER_MS
    return range(first_quarter(entry, piece_ms), quarter_of(entry.t1_ms, piece_ms) + 1, piece_ms)


def _clipped(pieces: range, t0_ms: int, t1_ms: int) -> Sequence[int]:
    """Milliseconds of (t0, t1] in each of the pieces."""
    if len(pieces) == 1:
        return (t1_ms - t0_ms,)
    return [clip_ms(t0_ms, t1_ms, start, start + pieces.step) for start in pieces]


def _energy_parts(entry: GpuEntry, pieces: range, parts_ms: Sequence[int]) -> Iterable[tuple[int | None, int, int]]:
    """(energy_mj, measured_ms, lost_mj) of each piece."""
    drawn_ms = lost_ms = parts_ms
    drawn_from_ms = entry.t1_ms - entry.measured_ms
    if entry.measured_ms and drawn_from_ms != entry.t0_ms:
        drawn_ms = _clipped(pieces, drawn_from_ms, entry.t1_ms)
        if entry.lost_mj < 0 and drawn_from_ms < entry.t0_ms:  # taken back from the entries that told it
            lost_ms = _clipped(pieces, drawn_from_ms, entry.t0_ms)
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
    counts = {name: _shares(getattr(entry, name), parts_ms) for name in FLOW_COUNTS}
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
