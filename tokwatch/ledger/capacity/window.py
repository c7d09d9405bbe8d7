"""The window that is being filled: entries of one deployment, added up until it closes as an OperatingPoint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from tokwatch.ledger.capacity.operating_point import PER_REQUEST, PER_TOKEN, OperatingPoint
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, HistogramEntry, ServerEntry
from tokwatch.ledger.latency import Observations
from tokwatch.ledger.slo import NO_REQUEST, Good, Outcomes, Slo, good_requests
from tokwatch.ledger.slo import PER_REQUEST as JUDGED
from tokwatch.ledger.sums import counted

WATCHED_AT_LEAST: Final = 0.9  # of a window: a rate of less is one of another time
_GAP: Final = Flag.GAP.value
_UNTIMED: Final = (Flag.UNTIMED | Flag.OUTPUT_ELSEWHERE).value
_KEPT: Final = frozenset({*JUDGED, PER_REQUEST, PER_TOKEN})
_Layout = tuple[str, tuple[float, ...]]


@dataclass(slots=True)
class _Requests:
    """Those of one model on one server: one population, under one SLO."""

    finished: int | None = None
    unfinished: int = 0
    counts: dict[_Layout, list[int]] = field(default_factory=dict)
    sums_us: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def observe(self, histogram: HistogramEntry) -> None:
        self._add((histogram.name, histogram.edges), histogram.counts)
        self.sums_us[histogram.name] += histogram.sum_us

    def merge(self, other: _Requests) -> None:
        self.finished = _plus(self.finished, other.finished)
        self.unfinished += other.unfinished
        for layout, counts in other.counts.items():
            self._add(layout, counts)
        for name, sum_us in other.sums_us.items():
            self.sums_us[name] += sum_us

    def observed(self, name: str) -> Observations | None:
        layouts = [(edges, counts) for (of, edges), counts in self.counts.items() if of == name]
        return Observations(layouts) if layouts else None

    def good(self, slo: Slo) -> Good | str:
        """Its good requests, or why they are not known."""
        latencies = {name: found for name in _KEPT if (found := self.observed(name)) is not None}
        return good_requests(slo, latencies, Outcomes(self.finished, self.unfinished))

    def _add(self, layout: _Layout, more: Iterable[int]) -> None:
        before = self.counts.get(layout)
        self.counts[layout] = list(more) if before is None else [a + b for a, b in zip(before, more, strict=True)]


class Window:
    """Of entries whose tick falls in it: whole ones, each with its own length. A gap's are left out."""

    def __init__(self, from_ms: int) -> None:
        self.from_ms = from_ms
        self.steady = True  # no GPU came or went, and no server was somebody else's too
        self.at_end = False  # tokens are counted when a request ends
        self._gpus: frozenset[int] | None = None
        self._energy_mj = self._energy_ms = 0
        self._read_ms: dict[int, int] = {}  # by server
        self._running_ms = 0
        self._running_told = True
        self._tokens: list[int | None] = [None, None, None]  # prompt, cached, output
        self._requests: dict[tuple[int, str], _Requests] = {}

    # --- filling --------------------------------------------------------------------------------------------------

    def on(self, gpus: frozenset[int]) -> None:
        """These are the deployment's GPUs at a tick."""
        self.steady &= bool(gpus) and self._gpus in (None, gpus)
        self._gpus = gpus

    def gpu(self, entry: GpuEntry) -> None:
        """One of its GPUs."""
        if entry.energy_mj is not None and not entry.flags & _GAP:
            self._energy_mj += entry.energy_mj
            self._energy_ms += entry.measured_ms

    def server(self, entry: ServerEntry) -> None:
        """One of its servers."""
        length = 0 if not entry.up or entry.flags & _GAP else entry.t1_ms - entry.t0_ms
        self._read_ms[entry.entity] = self._read_ms.get(entry.entity, 0) + length
        self._running_told &= entry.running is not None or not entry.up
        self._running_ms += (entry.running or 0) * length

    def flow(self, entry: FlowEntry, server: int, model: str) -> None:
        """Tokens and requests of one of its servers."""
        if entry.flags & _GAP:
            return
        self.at_end |= bool(entry.flags & Flag.AT_END)
        here = counted(entry)
        for i, amount in enumerate((here.prompt_tokens, here.cached_tokens, here.output_tokens)):
            self._tokens[i] = _plus(self._tokens[i], amount)
        if entry.flags & _UNTIMED:
            return
        requests = self._requests.get((server, model))
        if requests is None:
            requests = self._requests[server, model] = _Requests()
        requests.finished = _plus(requests.finished, here.finished)
        requests.unfinished += (here.failed or 0) + (here.aborted or 0)
        for histogram in entry.histograms:
            if histogram.name in _KEPT and any(histogram.counts):
                requests.observe(histogram)

    def merge(self, later: Window) -> None:
        """Take in a window that follows."""
        if later._gpus is not None:
            self.on(later._gpus)
        self.steady &= later.steady
        self.at_end |= later.at_end
        self._energy_mj += later._energy_mj
        self._energy_ms += later._energy_ms
        for server, read_ms in later._read_ms.items():
            self._read_ms[server] = self._read_ms.get(server, 0) + read_ms
        self._running_ms += later._running_ms
        self._running_told &= later._running_told
        self._tokens = [_plus(a, b) for a, b in zip(self._tokens, later._tokens, strict=True)]
        for key, requests in later._requests.items():
            self._requests.setdefault(key, _Requests()).merge(requests)

    # --- closing --------------------------------------------------------------------------------------------------

    @property
    def models(self) -> list[str]:
        """What was asked for in it."""
        return sorted({model for _, model in self._requests})

    def close(self, to_ms: int, slo_of: Callable[[str], Slo]) -> OperatingPoint | None:
        """What it was; None where it was not watched whole, or its GPUs changed in it."""
        width_ms = to_ms - self.from_ms
        if not (self.steady and self._gpus and self._read_ms):
            return None
        if min(self._read_ms.values()) < WATCHED_AT_LEAST * width_ms:
            return None
        measured = self._energy_ms >= WATCHED_AT_LEAST * width_ms * len(self._gpus)
        prompt, cached, output = self._tokens
        finished = [each.finished for each in self._requests.values() if each.finished is not None]
        latency, latency_n, latency_us = self._latency()
        good_at_least, ended_at_most = self._judged(slo_of)
        return OperatingPoint(
            from_ms=self.from_ms,
            to_ms=to_ms,
            gpus=len(self._gpus),
            read_ms=max(self._read_ms.values()),
            prompt_tokens=prompt,
            cached_tokens=cached,
            output_tokens=output,
            energy_mj=self._energy_mj if measured else None,
            energy_ms=self._energy_ms,
            running_ms=self._running_ms if self._running_told else None,
            finished=sum(finished) if finished else None,
            latency=latency,
            latency_n=latency_n,
            latency_us=latency_us,
            good_at_least=good_at_least,
            ended_at_most=ended_at_most,
        )

    def _latency(self) -> tuple[str, int, int]:
        """(histogram, observations, their sum) that interactivity is of: per request where that is told."""
        for name in (PER_REQUEST, PER_TOKEN):
            found = [observed for each in self._requests.values() if (observed := each.observed(name)) is not None]
            if found:
                us = sum(each.sums_us.get(name, 0) for each in self._requests.values())
                return name, sum(observed.n for observed in found), us
        return "", 0, 0

    def _judged(self, slo_of: Callable[[str], Slo]) -> tuple[int | None, int | None]:
        """(requests surely good, requests that ended at most), of all populations; None where one cannot be judged."""
        good, ended = 0, 0
        for (_, model), requests in self._requests.items():
            found = requests.good(slo_of(model))
            if isinstance(found, Good):
                good, ended = good + int(found.number.low), ended + found.ended_at_most
            elif found != NO_REQUEST:
                return None, None
        return good, ended


def _plus(one: int | None, other: int | None) -> int | None:
    """The sum of what is known; None where nothing is."""
    return other if one is None else one if other is None else one + other
