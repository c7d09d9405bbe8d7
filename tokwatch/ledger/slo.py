"""Service level objectives: the limits of a request, and how many requests of a window were good by them.

A request is good when it finished and every latency with a limit is ≤ that limit (vLLM's `--goodput`). Histograms tell
of each latency by itself, so the number of good requests is known between bounds only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from tokwatch.ledger.latency import Attainment, Observations, joint

NO_SLO = "no SLO set"
NO_REQUEST = "no request finished"
NOT_ON_PAGE = "not on page"
PER_TOKEN_ONLY = "known per token, not per request: see the share of token gaps"
WITH_PREFILL = "its time per token includes prefill"

PER_REQUEST = ("ttft", "tpot", "e2e")  # histograms with one observation a request: only these can judge requests


class Slo(msgspec.Struct, frozen=True):
    """Limits in seconds, None where there is none, and the share of requests that must be within all of them."""

    ttft_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None
    target: float = 0.99

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by the name of their histogram."""
        named = zip(PER_REQUEST, (self.ttft_s, self.tpot_s, self.e2e_s), strict=True)
        return {name: limit for name, limit in named if limit is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name.upper()} ≤ {limit:g} s" for name, limit in self.limits.items())


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the requests of a window, by the engine's own counters."""

    finished: int | None  # None: not counted
    unfinished: int = 0  # failed or aborted, as far as they are counted
    running: int = 0  # still being answered


@dataclass(frozen=True, slots=True)
class Between:
    """A number that lies between two bounds; `point` is an estimate of it, where there is one."""

    low: float
    high: float
    point: float | None

    def __add__(self, other: Between) -> Between:
        point = None if self.point is None or other.point is None else self.point + other.point
        return Between(self.low + other.low, self.high + other.high, point)

    def __mul__(self, factor: float) -> Between:
        return Between(self.low * factor, self.high * factor, None if self.point is None else self.point * factor)


@dataclass(frozen=True, slots=True)
class Good:
    """How many requests of a window were good, of how many that ended."""

    number: Between
    ended_at_least: int
    ended_at_most: int

    @property
    def share(self) -> Between:
        """Good ones of those that ended."""
        at_worst = self.number * (1 / self.ended_at_most)
        return Between(at_worst.low, self.number.high / self.ended_at_least, at_worst.point)

    def __add__(self, other: Good) -> Good:
        """Of both together."""
        return Good(
            self.number + other.number,
            self.ended_at_least + other.ended_at_least,
            self.ended_at_most + other.ended_at_most,
        )


def good_requests(slo: Slo, latencies: Mapping[str, Observations], outcomes: Outcomes) -> Good | str:
    """The good requests of a window, or why nothing can be said of them.

    latencies: by the histogram's name, those of PER_REQUEST that were observed, and of the other kinds of per-token.
    """
    if not slo.limits:
        return NO_SLO
    finished = outcomes.finished
    if finished is None:
        finished = max((latencies[name].n for name in PER_REQUEST if name in latencies), default=0)
    if not finished + outcomes.unfinished:
        return NO_REQUEST
    ended_at_least, ended_at_most = _ended(finished + outcomes.unfinished, outcomes.running, latencies.get("ttft"))
    if not finished:
        return Good(Between(0, 0, 0), ended_at_least, ended_at_most)
    met: list[Attainment] = []
    for name, limit in slo.limits.items():
        attainment = latencies[name].within(limit) if name in latencies else None
        if attainment is None:
            return _why_not(name, latencies)
        met.append(attainment)
    low, high = joint([_of_finished(each, finished) for each in met], finished)
    return Good(Between(low, high, _estimate(met, finished)), ended_at_least, ended_at_most)


def _ended(counted: int, running: int, ttft: Observations | None) -> tuple[int, int]:
    """How many requests ended, at least and at most.

    A client that drops its connection may be in no counter at all: on vLLM 0.32 such a request left a first token (15
    of them) and nothing at its end (14), not even an abort. So first tokens without an end are requests that ended
    badly, as far as they are not still being answered.
    """
    first_tokens = ttft.n if ttft else 0
    return max(counted, first_tokens - running), max(counted, first_tokens)


def _of_finished(met: Attainment, finished: int) -> tuple[int, int]:
    """How many of the finished requests met a limit, from a histogram that may hold more or fewer than those.

    More: first tokens of requests that did not finish, any of which may be among those that met it. Fewer: answers that
    were not streamed have no first token (LiteLLM), those of one token no time per token; they may be good.
    """
    return max(0, met.at_least - max(0, met.n - finished)), min(finished, met.at_most + max(0, finished - met.n))


def _estimate(met: list[Attainment], finished: int) -> float | None:
    """The one number that the points leave: Fréchet's bounds of them meet when no more than one is below 1."""
    points = [each.point for each in met if each.point is not None]
    if len(points) < len(met) or sum(point < 1 for point in points) > 1:
        return None
    return min(points) * finished


def _why_not(name: str, latencies: Mapping[str, Observations]) -> str:
    if name == "tpot" and "itl" in latencies:
        return PER_TOKEN_ONLY
    if name == "tpot" and "token_time" in latencies:
        return WITH_PREFILL
    return f"no {name.upper()} was observed"
