"""What one server did lately, as its pages tell it: whether it answers, moves, stands still, has a queue."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.readings import ServerFacts, ServerReading
from tokwatch.ledger.entries import Flag, FlowEntry, ServerEntry
from tokwatch.ledger.latency import Observations
from tokwatch.ledger.states import Thresholds
from tokwatch.ledger.windows import HistogramWindow, Window

_FAILED_SCRAPES = 3  # one lost page is not a blind server
_TTFT_MS = 600_000  # what counts as TTFT of late
_SAME_START_S = 60
_PERMYRIAD = 10_000
_ROW_PAGES = 6  # one that comes and goes is on three pages in a row now and then


class _Row:
    """An unbroken row of pages that all show one thing."""

    __slots__ = ("_from_ms", "_pages")

    def __init__(self) -> None:
        self.end()

    def end(self) -> None:
        self._from_ms, self._pages = 0, 0

    def page(self, at_ms: int, *, shows: bool) -> None:
        if not shows:
            self.end()
            return
        self._from_ms = self._from_ms if self._pages else at_ms
        self._pages += 1

    def seconds(self, until_ms: int) -> float:
        """How long it has been shown; 0 while the pages are too few to tell."""
        return (until_ms - self._from_ms) / 1000 if self._pages >= _ROW_PAGES else 0.0


class ServerEvidence:
    """One server. Times are of its pages, on the axis of the ticks."""

    def __init__(self, limits: Thresholds) -> None:
        self._limits = limits
        self._width_ms = int(limits.evidence_window_s * 1000)
        self.counts = False  # the last page told whether tokens or steps moved
        self.problem = ""
        self.running: int | None = None
        self.waiting: int | None = None
        self.asleep = False
        self._failures = 0
        self._page_ms: int | None = None  # when the last good page came
        self._watched_from_ms = 0  # since when every page told whether anything moved, or none did
        self._moved_ms: int | None = None  # when tokens or steps last moved
        self._answered_started_s: float | None = None  # start of the process that answered last
        self._kv_permyriad: int | None = None
        self._still_from_ms: int | None = None  # since when requests run on every page and nothing moves
        self._queued = _Row()  # requests wait
        self._full = _Row()  # … and the KV cache is full, or pushed requests out
        self._preempted = Window(self._width_ms, 1)
        self._ttft = HistogramWindow(_TTFT_MS)

    # --- pages ----------------------------------------------------------------------------------------------------

    def take(self, reading: ServerReading, entry: ServerEntry, flows: Sequence[FlowEntry]) -> None:
        """Take one scrape into account."""
        if not reading.ok:
            self._failures += 1
            self.problem = reading.problem
            if not self.answers:
                self._end_rows()
            return
        moved = _movement(entry, flows)
        if self._page_ms is None or self.counts is (moved is None):
            self._watched_from_ms = min((flow.t0_ms for flow in flows), default=entry.t1_ms)
        self.counts, self._page_ms = moved is not None, entry.t1_ms
        self._moved_ms = entry.t1_ms if moved else self._moved_ms
        self._failures, self.problem = 0, ""
        self._answered_started_s = reading.started_at_s or reading.server.started_at_s
        self.running, self.waiting, self.asleep = reading.running, reading.waiting, bool(reading.asleep)
        self._watch_for_stalls(entry, moved)
        self._kv_permyriad = entry.kv_permyriad
        self._watch_requests(entry, flows)
        self._watch_the_queue(entry)

    def _watch_for_stalls(self, entry: ServerEntry, moved: int | None) -> None:
        """Only a live series can stand still: tokens that come when a request ends say nothing before. A long prefill
        moves no tokens either, but the KV cache that it fills."""
        fills = entry.kv_permyriad != self._kv_permyriad
        if entry.progress is None or moved is None or moved or fills or not entry.running:
            self._still_from_ms = None
        elif self._still_from_ms is None:
            self._still_from_ms = entry.t0_ms

    def _watch_requests(self, entry: ServerEntry, flows: Sequence[FlowEntry]) -> None:
        self._preempted.expire(entry.t1_ms)
        self._ttft.expire(entry.t1_ms)
        for flow in flows:
            if flow.preempted and not flow.flags & Flag.GAP:
                self._preempted.add(flow.t1_ms, (flow.preempted,))
            for histogram in flow.histograms:
                if histogram.name == "ttft":
                    self._ttft.add(flow.t1_ms, histogram)

    def _watch_the_queue(self, entry: ServerEntry) -> None:
        """A gauge shows one instant, and a queue of one instant is none."""
        if entry.flags & (Flag.GAP | Flag.BASELINE):
            self._end_rows()
        self._queued.page(entry.t1_ms, shows=bool(self.waiting))
        self._full.page(entry.t1_ms, shows=self._short_of_room(self._limits.saturated_kv))

    def _end_rows(self) -> None:
        """Nobody saw whether the queue was there all the time."""
        self._queued.end()
        self._full.end()

    # --- what they prove ------------------------------------------------------------------------------------------

    @property
    def answers(self) -> bool:
        return self._page_ms is not None and self._failures < _FAILED_SCRAPES

    def answered(self, facts: ServerFacts) -> bool:
        """A page of the process that runs now was read; a new one may still be loading."""
        if self._page_ms is None:
            return False
        started_s, answered_s = facts.started_at_s, self._answered_started_s
        return started_s is None or answered_s is None or abs(started_s - answered_s) < _SAME_START_S

    def moved(self, tick_ms: int) -> bool:
        """Tokens or steps moved in the evidence window."""
        return self._moved_ms is not None and self._moved_ms > tick_ms - self._width_ms

    def works(self, tick_ms: int) -> bool:
        """It runs requests, or its tokens or steps move."""
        return self.answers and (bool(self.running) or self.moved(tick_ms))

    def rests(self, tick_ms: int) -> bool:
        """It could take a request at once: none runs, none waits, nothing moved."""
        idle = self.running == self.waiting == 0 and self.counts and not self.asleep
        return self.answers and idle and not self.moved(tick_ms)

    @property
    def evidence_s(self) -> float:
        """How long its pages have told whether anything moves."""
        return ((self._page_ms or 0) - self._watched_from_ms) / 1000

    @property
    def still_s(self) -> float | None:
        """How long requests ran and nothing moved; None where something moves, or no page can tell."""
        return None if self._still_from_ms is None else ((self._page_ms or 0) - self._still_from_ms) / 1000

    @property
    def queued_s(self) -> float:
        """How long requests have waited on every page."""
        return self._queued.seconds(self._page_ms or 0)

    @property
    def full_s(self) -> float:
        """How long they have, for a KV cache that was full or pushed requests out."""
        return self._full.seconds(self._page_ms or 0)

    @property
    def pressed(self) -> bool:
        """Requests wait, and the KV cache is not yet as empty as it takes to leave saturation."""
        return self._short_of_room(self._limits.saturated_leaves_at_kv)

    @property
    def ttft_p99_s(self) -> float | None:
        """Of the last ten minutes with requests: the upper edge of its bucket, or the lower where it has no upper."""
        bucket = Observations(self._ttft.named("ttft")).quantile(0.99)
        if bucket is None:
            return None
        low, high = bucket
        return low if high is None else high

    def _short_of_room(self, kv: float) -> bool:
        full = self._kv_permyriad is not None and self._kv_permyriad >= kv * _PERMYRIAD
        return bool(self.waiting) and (full or self._preempted.sums[0] > 0)


def _movement(entry: ServerEntry, flows: Sequence[FlowEntry]) -> int | None:
    """Steps or tokens that moved; None where their standing still would prove nothing."""
    tokens = [value for flow in flows for value in (flow.output_tokens, flow.prompt_tokens) if value is not None]
    if entry.progress is not None:
        return entry.progress + sum(tokens)
    silent_at_work = entry.flags & Flag.AT_END and entry.running is None  # a long answer moves nothing until its end
    return None if not tokens or (silent_at_work and not any(tokens)) else sum(tokens)
