"""What was asked for by the length of its prompt: requests and prompt tokens by bucket, as far as histograms tell.

Engines count how many prompts were of which length, and how long their tokens took, each by itself. So of a bucket are
known: its requests, exactly; its prompt tokens, between bounds; how many requests met the SLO, between bounds that
are wide where it is small; and nothing of its output tokens. Cost of a bucket is therefore that of its prompts alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor

from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.slo import Good

PROMPT_LENGTH = "prompt_length"
NO_LENGTHS = "prompt lengths are not on its pages"
MILLIONTHS = 1_000_000  # of a token, in the sum of a histogram of lengths


@dataclass(frozen=True, slots=True)
class LengthBucket:
    """Prompts of more than `above` tokens, up to `up_to`; None: however long."""

    above: float
    up_to: float | None
    requests: int
    tokens_at_least: int
    tokens_at_most: int
    good_at_least: int | None = None  # of the requests, within the SLO; None where nothing is known of any
    good_at_most: int | None = None

    def usd(self, usd_per_m_prompt: float | None) -> tuple[float, float] | None:
        """What its prompts cost, between bounds, at the mean cost of a prompt token; None without that."""
        if usd_per_m_prompt is None:
            return None
        return self.tokens_at_least * usd_per_m_prompt / 1e6, self.tokens_at_most * usd_per_m_prompt / 1e6


def by_prompt_length(histograms: Iterable[HistogramEntry], good: Good | None = None) -> tuple[LengthBucket, ...]:
    """The buckets of all histograms named PROMPT_LENGTH that share the edges most requests were counted in; empty ones
    are left out. `good`: of the same requests.

    Requests that were counted in other buckets (a restart with other settings) are in none of these.
    """
    merged: dict[tuple[float, ...], tuple[list[int], int]] = {}
    for histogram in histograms:
        if histogram.name == PROMPT_LENGTH:
            counts, sum_us = merged.get(histogram.edges, ([0] * len(histogram.counts), 0))
            added = [count + more for count, more in zip(counts, histogram.counts, strict=True)]
            merged[histogram.edges] = added, sum_us + histogram.sum_us
    if not merged:
        return ()
    edges, (counts, sum_us) = max(merged.items(), key=lambda item: (sum(item[1][0]), item[0]))
    tokens = _tokens(edges, counts, round(sum_us / MILLIONTHS))
    return tuple(
        LengthBucket(edges[i - 1] if i else 0.0, edges[i] if i < len(edges) else None, count, *tokens[i], *shares)
        for i, count in enumerate(counts)
        if count
        for shares in (_good(count, good),)
    )


def _tokens(edges: Sequence[float], counts: Sequence[int], total: int) -> list[tuple[int, int]]:
    """(at least, at most) of each bucket: its requests times its edges, and what the other buckets leave of the sum.

    A bucket (a, b] holds whole tokens, so at least ⌊a⌋ + 1 of each prompt.
    """
    least = [count * (floor(edges[i - 1]) + 1 if i else 0) for i, count in enumerate(counts)]
    most = [
        min(total, count * floor(edges[i])) if i < len(edges) else total * bool(count) for i, count in enumerate(counts)
    ]
    every_least, every_most = sum(least), sum(most)
    if not every_least <= total <= every_most:  # the sum and the counts were not read of the same requests
        return [(low, max(low, high)) for low, high in zip(least, most, strict=True)]
    return [
        (max(low, total - (every_most - high)), min(high, total - (every_least - low)))
        for low, high in zip(least, most, strict=True)
    ]


def _good(count: int, good: Good | None) -> tuple[int | None, int | None]:
    """Fréchet's bounds of the good ones among `count` of the requests: all that were not good may be among these."""
    if good is None:
        return None, None
    not_good_at_most = good.ended_at_most - floor(good.number.low)
    return max(0, count - not_good_at_most), min(count, floor(good.number.high))
