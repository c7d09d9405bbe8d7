"""The load of one simulated server: requests that come by waves → its counters at any instant, exactly.

Nothing is kept between two reads: every counter is an integer function of time that never falls, so any two readers
agree and a test knows the truth. Each request waits, is prefilled and is decoded for the mean times of its pace, which
is found when it comes (see arrivals.py); sizes and latencies differ from request to request by tables that repeat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from statistics import NormalDist

from collectors.readings import Histogram
from tokwatch.demo.arrivals import Arrivals
from tokwatch.demo.tempo import Tempo
from tokwatch.demo.waves import Quantity

_TABLE = 64  # requests until sizes and latencies repeat
_STRIDE = 37  # coprime to it: neighbours differ, and every part of the table has small and large ones


def spread(mean: float, sigma: float) -> tuple[float, ...]:
    """64 log-normal values around `mean` (relative width `sigma`), the same at every call, in mixed order."""
    median = mean * math.exp(-sigma * sigma / 2)
    normal = NormalDist()
    ordered = [median * math.exp(sigma * normal.inv_cdf((k + 0.5) / _TABLE)) for k in range(_TABLE)]
    return tuple(ordered[k * _STRIDE % _TABLE] for k in range(_TABLE))


class Sizes:
    """Token counts of one request after another, repeating; the sum over the first n needs no loop."""

    def __init__(self, values: Sequence[float]) -> None:
        self.tokens = tuple(max(1, round(value)) for value in values)
        self._sums = tuple(accumulate(self.tokens, initial=0))

    @property
    def mean(self) -> float:
        return self._sums[-1] / (len(self._sums) - 1)

    def of_first(self, n: int) -> int:
        """Tokens of the first n requests."""
        rounds, rest = divmod(n, len(self._sums) - 1)
        return rounds * self._sums[-1] + self._sums[rest]


class Observed:
    """What is observed one after another, repeating, as the histogram of the first n: seconds or tokens."""

    def __init__(self, edges: tuple[float, ...], values: Sequence[float]) -> None:
        self.edges = edges
        self._sums_e6 = tuple(accumulate((round(value * 1e6) for value in values), initial=0))
        counts = [(0,) * (len(edges) + 1)]  # cumulative over the edges, of the first 0, 1, 2, … values
        for value in values:
            counts.append(tuple(n + (value <= edge) for n, edge in zip(counts[-1], (*edges, math.inf), strict=True)))
        self._counts = tuple(counts)

    def of_first(self, n: int) -> Histogram:
        """The histogram after n observations."""
        rounds, rest = divmod(n, len(self._counts) - 1)
        counts = self._counts[rest]
        if rounds:
            counts = tuple([rounds * all_ + part for all_, part in zip(self._counts[-1], counts, strict=True)])
        return Histogram(self.edges, counts, (rounds * self._sums_e6[-1] + self._sums_e6[rest]) / 1e6)


@dataclass(frozen=True, slots=True)
class Counters:
    """What a server has counted since its process started, and its gauges."""

    prompt_tokens: int  # cached ones included; whole prompts when their prefill ends
    cached_tokens: int
    output_tokens: int  # with every engine step
    output_tokens_finished: int  # of finished requests only
    steps: int
    finished: int
    running: int
    waiting: int
    kv_usage: float  # share of …
    kv_capacity_tokens: int
    ttft: Histogram
    itl: Histogram
    tpot: Histogram  # this one and those below: of finished requests only
    e2e: Histogram
    queue: Histogram
    prompt_length: Histogram


@dataclass(frozen=True, slots=True)
class Pace:
    """How long requests take at one pace of the engine: means in seconds, and what is observed of single ones."""

    queue_s: float
    prefill_s: float
    decode_s: float
    ttft: Observed
    itl: Observed
    tpot: Observed
    e2e: Observed
    queue: Observed


@dataclass(frozen=True)
class Load:
    """What is asked of one server."""

    requests_per_s: Quantity
    prompt_tokens: Sizes
    cached_tokens: Sizes  # table for table within the prompts
    output_tokens: Sizes
    prompt_length: Observed
    tokens_per_step: int
    kv_capacity_tokens: int
    paces: tuple[Pace, ...]
    tempo: Tempo | None = None  # which of the paces, where there are more than one

    @cached_property
    def _kv_tokens_per_request(self) -> float:
        return self.prompt_tokens.mean + self.output_tokens.mean / 2

    @cached_property
    def _arrivals(self) -> dict[float, Arrivals]:
        """By the second at which a process started."""
        return {}

    def at(self, t_s: float, since_s: float) -> Counters:
        """Everything at t_s of a process that started at since_s."""
        if (arrivals := self._arrivals.get(since_s)) is None:
            arrivals = self._arrivals[since_s] = Arrivals(self.requests_per_s, self.tempo, since_s)

        def reached(before_s: Callable[[Pace], float]) -> list[float]:
            """Of each pace the requests that came at least so long ago, real numbers."""
            return [arrivals.at_pace(number, t_s - before_s(pace)) for number, pace in enumerate(self.paces)]

        started = sum(map(int, reached(lambda pace: pace.queue_s)))
        prefilled = [*map(int, reached(lambda pace: pace.queue_s + pace.prefill_s))]
        finished = [*map(int, reached(lambda pace: pace.queue_s + pace.prefill_s + pace.decode_s))]
        # The first token of each request comes with its prefill, the others evenly while it is decoded.
        decoded = reached(lambda pace: pace.queue_s + pace.prefill_s + pace.decode_s / 2)
        later_tokens = [int((self.output_tokens.mean - 1) * n) for n in decoded]
        running = started - sum(finished)
        return Counters(
            prompt_tokens=self.prompt_tokens.of_first(sum(prefilled)),
            cached_tokens=self.cached_tokens.of_first(sum(prefilled)),
            output_tokens=sum(prefilled) + sum(later_tokens),
            output_tokens_finished=self.output_tokens.of_first(sum(finished)),
            steps=sum(prefilled) + sum(later_tokens) // self.tokens_per_step,
            finished=sum(finished),
            running=running,
            waiting=int(arrivals.until(t_s)) - started,
            kv_usage=min(1.0, running * self._kv_tokens_per_request / self.kv_capacity_tokens),
            kv_capacity_tokens=self.kv_capacity_tokens,
            ttft=_of_all((pace.ttft for pace in self.paces), prefilled),
            itl=_of_all((pace.itl for pace in self.paces), later_tokens),
            tpot=_of_all((pace.tpot for pace in self.paces), finished),
            e2e=_of_all((pace.e2e for pace in self.paces), finished),
            queue=_of_all((pace.queue for pace in self.paces), finished),
            prompt_length=self.prompt_length.of_first(sum(finished)),
        )


def _of_all(observed: Iterable[Observed], first: Sequence[int]) -> Histogram:
    """One histogram of what was observed at all paces, so many times at each."""
    parts = [each.of_first(n) for each, n in zip(observed, first, strict=True)]
    counts = tuple(map(sum, zip(*(part.counts for part in parts), strict=True)))
    return Histogram(parts[0].edges, counts, sum(part.sum for part in parts))
