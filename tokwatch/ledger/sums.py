"""What is summed of each GPU and each flow: the windows that figures divide and the buckets that sparklines draw."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec.structs import replace

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry
from tokwatch.ledger.strip import Strip
from tokwatch.ledger.windows import Buckets, HistogramWindow, Window

SPARK_MS, SPARK_COUNT = 10_000, 12
FLEET_SPARK_MS, FLEET_SPARK_COUNT = 4_000, 30
WINDOW_MS = 60_000  # the usual window
AT_END_WINDOW_MS = 300_000  # for engines whose token counters move when a request ends
_ELSEWHERE: Final = (Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE).value


class GpuSums:
    """One GPU's windows. Fields of `short` and `long`: energy_mj, measured_ms, length_ms."""

    def __init__(self) -> None:
        self.short = Window(WINDOW_MS, 3)
        self.long = Window(AT_END_WINDOW_MS, 3)
        self.spark = Buckets(SPARK_MS, SPARK_COUNT)
        self.strip = Strip()

    def add(self, entry: GpuEntry) -> None:
        length = entry.t1_ms - entry.t0_ms
        values = (entry.energy_mj or 0, entry.measured_ms, length)
        self.short.add(entry.t1_ms, values)
        self.long.add(entry.t1_ms, values)
        if entry.energy_mj is not None:
            self.spark.add(entry.t1_ms - entry.measured_ms, entry.t1_ms, entry.energy_mj)
        self.strip.add(entry.t0_ms, entry.t1_ms, entry.state, entry.flags)

    def expire(self, now_ms: int) -> None:
        self.short.expire(now_ms)
        self.long.expire(now_ms)
        self.spark.expire(now_ms)
        self.strip.expire(now_ms)


def counted(entry: FlowEntry) -> FlowEntry:
    """The entry without what is counted at another server: what is left may be added to other servers' counts."""
    if not entry.flags & _ELSEWHERE:
        return entry
    if entry.flags & Flag.PROMPT_ELSEWHERE:
        entry = replace(entry, prompt_tokens=None, cached_tokens=None)
    if entry.flags & Flag.OUTPUT_ELSEWHERE:
        requests: dict[str, None] = dict.fromkeys(("finished", "failed", "aborted"))
        entry = replace(entry, output_tokens=None, drafted_tokens=None, accepted_tokens=None, **requests)
    return entry


class FlowTotals(NamedTuple):
    """Sums of one flow over a window. `…_ms`: the part of length_ms in which that counter was there to be read."""

    length_ms: int
    prompt_tokens: int
    prompt_tokens_ms: int
    cached_tokens: int
    cached_tokens_ms: int
    output_tokens: int
    output_tokens_ms: int
    finished: int
    finished_ms: int
    failed: int
    aborted: int

    @classmethod
    def of(cls, entry: FlowEntry) -> FlowTotals:
        """What one entry adds."""
        length = entry.t1_ms - entry.t0_ms

        def counted(increment: int | None) -> tuple[int, int]:
            return (0, 0) if increment is None else (increment, length)

        return cls(
            length,
            *counted(entry.prompt_tokens),
            *counted(entry.cached_tokens),
            *counted(entry.output_tokens),
            *counted(entry.finished),
            entry.failed or 0,
            entry.aborted or 0,
        )


class FlowSums:
    """One flow's windows; the fields of `short` and `long` are those of FlowTotals."""

    def __init__(self) -> None:
        self.short = Window(WINDOW_MS, len(FlowTotals._fields))
        self.long = Window(AT_END_WINDOW_MS, len(FlowTotals._fields))
        self.histograms = HistogramWindow(WINDOW_MS)
        self.spark = Buckets(SPARK_MS, SPARK_COUNT)
        self.fleet_spark = Buckets(FLEET_SPARK_MS, FLEET_SPARK_COUNT)

    def add(self, entry: FlowEntry) -> None:
        values = FlowTotals.of(entry)
        self.short.add(entry.t1_ms, values)
        self.long.add(entry.t1_ms, values)
        for histogram in entry.histograms:
            self.histograms.add(entry.t1_ms, histogram)
        if entry.output_tokens is not None and not entry.flags & Flag.GAP:
            self.spark.add(entry.t0_ms, entry.t1_ms, entry.output_tokens)
            self.fleet_spark.add(entry.t0_ms, entry.t1_ms, entry.output_tokens)

    def expire(self, now_ms: int) -> None:
        for part in (self.short, self.long, self.histograms, self.spark, self.fleet_spark):
            part.expire(now_ms)
