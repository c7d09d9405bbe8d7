"""The cost curve: dollars per 10⁶ tokens and tokens per joule against load, and the load that beats an API price."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tokwatch.ledger.economics.arithmetic import PER_MILLION, Sums, cost_each, ratio


class LoadPoint(NamedTuple):
    """One window of one deployment."""

    tok_per_s_gpu: float  # its load: tok/s per GPU
    usd: float | None
    tokens: float  # counted as the load counts them
    energy_j: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class LoadBin:
    """All windows with a load in [low, high), added up; one of unknown cost or energy is left out of that ratio."""

    low: float  # tok/s per GPU
    high: float
    windows: int
    tokens: float
    load: Sums  # load × seconds over seconds
    cost: Sums  # dollars over tokens
    energy: Sums  # joules over tokens

    @property
    def seconds(self) -> float:
        """Time spent at this load."""
        return self.load.base

    @property
    def tok_per_s_gpu(self) -> float | None:
        """Mean load, weighted by time."""
        return self.load.ratio

    @property
    def usd_per_m(self) -> float | None:
        """$ per 10⁶ tokens; infinite for a cost without tokens."""
        each = cost_each(self.cost.amount, self.cost.base)
        return None if each is None else each * PER_MILLION

    @property
    def tok_per_j(self) -> float | None:
        """Tokens per joule."""
        return ratio(self.energy.base, self.energy.amount)


def even_edges(highest: float, bins: int) -> tuple[float, ...]:
    """Edges that cut loads from 0 to the highest into equal bins; none when there was no load."""
    return tuple(highest * edge / bins for edge in range(1, bins)) if highest > 0 else ()


def load_curve(points: Iterable[LoadPoint], edges: Sequence[float]) -> tuple[LoadBin, ...]:
    """Windows by load, lowest first, bins without a window left out. Ascending edges; there is a bin on either side.

    Sums are added first and divided last: in a mean of $/M a quiet minute would weigh as much as a full one.
    """
    inside: dict[int, list[LoadPoint]] = {}
    for point in points:
        inside.setdefault(bisect_right(edges, point.tok_per_s_gpu), []).append(point)
    bounds = list(itertools.pairwise((0.0, *edges, math.inf)))
    return tuple(_bin(*bounds[index], inside[index]) for index in sorted(inside))


def _bin(low: float, high: float, points: Sequence[LoadPoint]) -> LoadBin:
    load = cost = energy = Sums()
    for point in points:
        load = load.plus(point.tok_per_s_gpu * point.seconds, point.seconds)
        cost = cost.plus(point.usd, point.tokens)
        energy = energy.plus(point.energy_j, point.tokens)
    return LoadBin(low, high, len(points), sum(point.tokens for point in points), load, cost, energy)


def load_that_beats(curve: Sequence[LoadBin], api_usd_per_m: float | None) -> float | None:
    """The lowest load in tok/s per GPU at which tokens cost no more than at the API; None when they never do.

    Between two bins, tokens per dollar is taken as linear in load, as it is for GPUs whose hour has a fixed price ($/M
    itself is not: it falls as 1 ÷ load). Where the lowest bin is cheaper already, its load: the true one lies below
    what was seen. The price is that of the same mix of tokens; nothing beats a price of 0.
    """
    if api_usd_per_m is None or api_usd_per_m <= 0:
        return None
    dear: tuple[float, float] | None = None
    for one in curve:
        load, usd_per_m = one.tok_per_s_gpu, one.usd_per_m
        if load is None or usd_per_m is None:
            continue
        if usd_per_m <= api_usd_per_m:
            return load if dear is None else _crossing(dear, (load, usd_per_m), api_usd_per_m)
        dear = load, usd_per_m
    return None


def _crossing(dear: tuple[float, float], cheap: tuple[float, float], usd_per_m: float) -> float:
    (low, dear_usd), (high, cheap_usd) = dear, cheap
    # Solved for tokens per dollar, and written so that a bin without tokens (infinite $/M) and a free one can enter.
    way = cheap_usd / usd_per_m * (1 if math.isinf(dear_usd) else (dear_usd - usd_per_m) / (dear_usd - cheap_usd))
    return low + max(0.0, way) * (high - low)
