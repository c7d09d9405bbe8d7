"""What is summed of each GPU and each flow: the windows that figures divide and the buckets that sparklines draw."""

from __future__ import annotations

from operator import sub
from typing import Final, NamedTuple

from msgspec.structs import replace

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.strip import Strip
from tokwatch.ledger.windows import Buckets, Grown, HistogramWindow, Window

SPARK_MS, SPARK_COUNT = 10_000, 12
FLEET_SPARK_MS, FLEET_SPARK_COUNT = 4_000, 30
WINDOW_MS = 60_000  # the usual window
AT_END_WINDOW_MS = 300_000  # for engines whose token counters move when a request ends
# The first tokens of the longest window came since the page before them, and pages are at most a minute apart.
DRAWN_MS = AT_END_WINDOW_MS + 60_000
_UNTIMED: Final = Flag.UNTIMED.value
_ELSEWHERE: Final = (Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE).value
_OF_PROMPT: Final = ("prompt_tokens", "cached_tokens")
_OF_OUTPUT: Final = ("output_tokens", "finished", "failed", "aborted", "drafted_tokens", "accepted_tokens")


class GpuSums:
    """What one GPU drew, and its states."""

    def __init__(self) -> None:
        self.drawn = Grown(DRAWN_MS)  # mJ
        self.spark = Buckets(SPARK_MS, SPARK_COUNT)
        self.strip = Strip()

    def add(self, entry: GpuEntry) -> None:
        if entry.energy_mj is not None:
            self.drawn.add(entry.t1_ms, entry.energy_mj, entry.measured_ms)
            self.spark.add(entry.t1_ms - entry.measured_ms, entry.t1_ms, entry.energy_mj)
        self.strip.add(entry.t0_ms, entry.t1_ms, entry.state, entry.flags)

    def expire(self, now_ms: int) -> None:
        self.drawn.expire(now_ms)
        self.spark.expire(now_ms)
        self.strip.expire(now_ms)


def counted(entry: FlowEntry) -> FlowEntry:
    """The entry without what is counted at another server: what is left may be added to other servers' counts."""
    if not entry.flags & _ELSEWHERE:
        return entry
    return replace(entry, **dict.fromkeys(taken(entry.flags)))


def elsewhere(entry: FlowEntry) -> FlowEntry | None:
    """Only what `counted` leaves out, without latencies; None where it leaves nothing out."""
    if not entry.flags & _ELSEWHERE:
        return None
    shown = taken(entry.flags)
    kept: dict[str, None] = {name: None for name in (*_OF_PROMPT, *_OF_OUTPUT, "preempted") if name not in shown}
    return replace(entry, histograms=(), **kept)


def taken(flags: int) -> tuple[str, ...]:
    """The counts of a flow that are counted at another server."""
    prompt = _OF_PROMPT if flags & Flag.PROMPT_ELSEWHERE else ()
    return (*prompt, *(_OF_OUTPUT if flags & Flag.OUTPUT_ELSEWHERE else ()))


class ServerSums:
    """How long one server's pages were read: a counter that is not on them yet stood at 0 all that time."""

    def __init__(self) -> None:
        self._short, self._long = Window(WINDOW_MS, 1), Window(AT_END_WINDOW_MS, 1)

    def add(self, entry: ServerEntry) -> None:
        if entry.up:
            self._short.add(entry.t1_ms, (entry.t1_ms - entry.t0_ms,))
            self._long.add(entry.t1_ms, (entry.t1_ms - entry.t0_ms,))

    def read_ms(self, *, long: bool) -> int:
        return (self._long if long else self._short).sums[0]

    def expire(self, now_ms: int) -> None:
        self._short.expire(now_ms)
        self._long.expire(now_ms)


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
    drafted_tokens: int
    accepted_tokens: int

    @classmethod
    def of(cls, entry: FlowEntry) -> FlowTotals:
        """What one entry adds."""
        length = entry.t1_ms - entry.t0_ms

        def known(increment: int | None) -> tuple[int, int]:
            return (0, 0) if increment is None else (increment, length)

        return cls(
            length,
            *known(entry.prompt_tokens),
            *known(entry.cached_tokens),
            *known(entry.output_tokens),
            *known(entry.finished),
            entry.failed or 0,
            entry.aborted or 0,
            entry.drafted_tokens or 0,
            entry.accepted_tokens or 0,
        )


class FlowSums:
    """One flow's windows: what its server itself tells, and of it what is counted elsewhere (see `counted`)."""

    def __init__(self) -> None:
        self.short = Window(WINDOW_MS, len(FlowTotals._fields))
        self._timed = Window(WINDOW_MS, len(FlowTotals._fields))  # without requests whose latencies are not known
        self.long = Window(AT_END_WINDOW_MS, len(FlowTotals._fields))
        self._short_elsewhere = Window(WINDOW_MS, len(FlowTotals._fields))
        self._long_elsewhere = Window(AT_END_WINDOW_MS, len(FlowTotals._fields))
        self.histograms = HistogramWindow(WINDOW_MS)
        self.spark = Buckets(SPARK_MS, SPARK_COUNT)
        self.fleet_spark = Buckets(FLEET_SPARK_MS, FLEET_SPARK_COUNT)  # counted tokens only

    def add(self, entry: FlowEntry) -> None:
        here = counted(entry)
        values = FlowTotals.of(entry)
        self.short.add(entry.t1_ms, values)
        self.long.add(entry.t1_ms, values)
        if not entry.flags & _UNTIMED:
            self._timed.add(entry.t1_ms, values)
        if here is not entry:
            not_here = tuple(map(sub, values, FlowTotals.of(here)))
            self._short_elsewhere.add(entry.t1_ms, not_here)
            self._long_elsewhere.add(entry.t1_ms, not_here)
        for histogram in entry.histograms:
            self.histograms.add(entry.t1_ms, histogram)
        if entry.flags & Flag.GAP:
            return
        if entry.output_tokens is not None:
            self.spark.add(entry.t0_ms, entry.t1_ms, entry.output_tokens)
        if here.output_tokens is not None:
            self.fleet_spark.add(entry.t0_ms, entry.t1_ms, here.output_tokens)

    def totals(self, *, long: bool, counted: bool = False) -> FlowTotals:
        """Sums over the long or the short window; with `counted`, only what may be added to other servers' sums."""
        whole = FlowTotals(*(self.long if long else self.short).sums)
        return FlowTotals(*map(sub, whole, self.elsewhere(long=long))) if counted else whole

    def elsewhere(self, *, long: bool) -> FlowTotals:
        """Of the sums over a window, what is counted at another server."""
        return FlowTotals(*(self._long_elsewhere if long else self._short_elsewhere).sums)

    @property
    def timed(self) -> FlowTotals:
        """Sums over the short window of what `histograms` speak for."""
        return FlowTotals(*self._timed.sums)

    def stretch_ms(self, *, long: bool) -> tuple[int, int] | None:
        """(from, to] that the window's entries speak for: from the first page's t0 to the last page's t1."""
        window = self.long if long else self.short
        if window.first is None or window.last_ms is None:
            return None
        t1_ms, values = window.first
        return t1_ms - FlowTotals(*values).length_ms, window.last_ms

    def expire(self, now_ms: int) -> None:
        for window in (self.short, self.long, self._timed, self._short_elsewhere, self._long_elsewhere):
            window.expire(now_ms)
        for part in (self.histograms, self.spark, self.fleet_spark):
            part.expire(now_ms)
