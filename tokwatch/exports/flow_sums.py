"""What the flows of one row add up to: tokens, requests and latencies."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from tokwatch.ledger.economics.token_cost import Tokens
from tokwatch.ledger.entries import Flag
from tokwatch.ledger.goodput import LATENCIES, Population
from tokwatch.ledger.latency import Observations
from tokwatch.ledger.slo import Outcomes, Slo
from tokwatch.store.quarter_rows import FlowQuarter

_COUNTS: Final = (
    "prompt_tokens",
    "cached_tokens",
    "output_tokens",
    "finished",
    "failed",
    "aborted",
    "preempted",
    "drafted_tokens",
    "accepted_tokens",
)


def tokens_of(prompt: int | None, cached: int | None, output: int | None) -> Tokens:
    """By class, what is unknown as none.

    Cached tokens are never more than the prompt they are part of: each was rounded by itself at a quarter's edge.
    """
    known_cached = min(cached or 0, prompt or 0)
    return Tokens((prompt or 0) - known_cached, known_cached, output or 0)


def counted_elsewhere(quarter: FlowQuarter) -> bool:
    """The requests of a flow are counted at another server: prefill beside decode, a router before its engines."""
    told = quarter.finished is not None or quarter.output_tokens is not None
    return bool(quarter.flags & Flag.OUTPUT_ELSEWHERE) and not told


class FlowSums:
    """Sums of flow quarters: the same flow's, and those of other roles of the same model."""

    def __init__(self) -> None:
        self.counts: dict[str, int | None] = dict.fromkeys(_COUNTS)
        self._covered_ms: Counter[int] = Counter()  # flow → time
        # By name and edges; the last number is sum_us.
        self._histograms: dict[str, dict[tuple[float, ...], list[int]]] = defaultdict(dict)
        self._observed: dict[str, Observations] = {}  # what these add up to, once asked for

    def add(self, quarter: FlowQuarter) -> None:
        for name in _COUNTS:
            count: int | None = getattr(quarter, name)
            if count is not None:
                self.counts[name] = (self.counts[name] or 0) + count
        self._covered_ms[quarter.entity] += quarter.covered_ms
        for each in quarter.histograms:
            of_name, values = self._histograms[each.name], (*each.counts, each.sum_us)
            sums = of_name.get(each.edges)
            of_name[each.edges] = list(values) if sums is None else list(map(int.__add__, sums, values))
        self._observed.clear()

    @property
    def empty(self) -> bool:
        """Nothing was counted: a first reading alone is no interval."""
        counted = [count for count in self.counts.values() if count is not None]
        return not counted or not (any(counted) or self.covered_ms)

    @property
    def covered_ms(self) -> int:
        """The time that the counts speak for; of several roles, that of the one best covered."""
        return max(self._covered_ms.values(), default=0)

    @property
    def tokens(self) -> Tokens:
        """By class, what is unknown as none."""
        return tokens_of(*(self.counts[name] for name in ("prompt_tokens", "cached_tokens", "output_tokens")))

    @property
    def cached_tokens(self) -> int | None:
        """Never more than the prompt tokens they are part of; None without those, as `tokens` has none then."""
        cached, prompt = self.counts["cached_tokens"], self.counts["prompt_tokens"]
        return None if cached is None or prompt is None else min(cached, prompt)

    @property
    def uncached_tokens(self) -> int | None:
        """Prompt tokens less the cached ones; all of them where the cached ones are not known."""
        prompt = self.counts["prompt_tokens"]
        return None if prompt is None else prompt - (self.cached_tokens or 0)

    @property
    def total_tokens(self) -> int | None:
        """Prompt (cached included) + output; None unless both are known."""
        prompt, output = self.counts["prompt_tokens"], self.counts["output_tokens"]
        return None if prompt is None or output is None else prompt + output

    def quantile_s(self, name: str, q: float) -> float | None:
        """Upper edge of the bucket that a quantile falls in; None without observations, beyond the last edge, or where
        the buckets changed within the period."""
        observed = self._observations(name)
        bucket = observed.quantile(q) if len(observed.layouts) == 1 else None
        return bucket[1] if bucket else None

    def observed(self, name: str) -> tuple[int, int]:
        """(how many values of a histogram, their sum × 10⁶)."""
        found = self._histograms[name].values()
        return sum(sum(sums[:-1]) for sums in found), sum(sums[-1] for sums in found)

    def population(self, slo: Slo) -> Population:
        """The requests of one server, to be judged by limits."""
        latencies = {name: self._observations(name) for name in LATENCIES}
        known = {name: observations for name, observations in latencies.items() if observations.layouts}
        ended = (self.counts["finished"] or 0) + (self.counts["failed"] or 0) + (self.counts["aborted"] or 0)
        first_tokens = known["ttft"].n if "ttft" in known else 0
        return Population(
            slo=slo,
            outcomes=Outcomes(
                finished=self.counts["finished"],
                unfinished=(self.counts["failed"] or 0) + (self.counts["aborted"] or 0),
                # Sums do not tell how many were being answered at the end: all that had not ended may be.
                running=max(0, first_tokens - ended),
            ),
            latencies=known,
            output_tokens=self.counts["output_tokens"] or 0,
            length_ms=self.covered_ms,
        )

    def _observations(self, name: str) -> Observations:
        if name not in self._observed:
            self._observed[name] = Observations((edges, sums[:-1]) for edges, sums in self._histograms[name].items())
        return self._observed[name]
