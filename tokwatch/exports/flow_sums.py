"""What the flows of one row add up to: tokens, requests and latencies."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tokwatch.ledger.latency import Observations
from tokwatch.store.rollup import FlowQuarter

_COUNTS: Final = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted", "preempted")


class FlowSums:
    """Sums of flow quarters: the same flow's, and those of other roles of the same model."""

    def __init__(self) -> None:
        self.counts: dict[str, int | None] = dict.fromkeys(_COUNTS)
        self._covered_ms: Counter[int] = Counter()  # flow → time
        self._histograms: dict[str, list[tuple[tuple[float, ...], list[int]]]] = {}

    def add(self, quarter: FlowQuarter) -> None:
        for name in _COUNTS:
            count: int | None = getattr(quarter, name)
            if count is not None:
                self.counts[name] = (self.counts[name] or 0) + count
        self._covered_ms[quarter.entity] += quarter.covered_ms
        for histogram in quarter.histograms:
            self._histograms.setdefault(histogram.name, []).append((histogram.edges, list(histogram.counts)))

    @property
    def empty(self) -> bool:
        return all(count is None for count in self.counts.values())

    @property
    def covered_ms(self) -> int:
        """The time that the counts speak for; of several roles, that of the one best covered."""
        return max(self._covered_ms.values(), default=0)

    @property
    def cached_tokens(self) -> int | None:
        """Never more than the prompt tokens they are part of: each was rounded by itself at a quarter's edge."""
        cached, prompt = self.counts["cached_tokens"], self.counts["prompt_tokens"]
        return cached if cached is None or prompt is None else min(cached, prompt)

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
        the buckets changed within the hour."""
        observed = Observations(self._histograms.get(name, []))
        bucket = observed.quantile(q) if len(observed.layouts) == 1 else None
        return bucket[1] if bucket else None
