"""Capacity K: the tokens a second and GPU that a deployment makes within its SLO, declared or learnt; and its use.

Throughput here is of computed tokens (see OperatingPoint). The most that was seen without the test of the SLO would
overstate K: past it the queue grows and every user waits. So without an SLO nothing is learnt.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tokwatch.ledger.capacity.operating_point import OperatingPoint

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TRAILING_MS = 7 * DAY_MS
FEWEST_REQUESTS = 30  # below it one request is more than three per cent: no share of them meets a target of 0.99 surely
NOT_LEARNT = "no five minutes of this mix met the SLO in the last seven days"


class DeclaredCapacity(msgspec.Struct, frozen=True):
    """A K that the user measured or read somewhere, for a deployment or a model by name."""

    tok_s_per_gpu: float  # prompt and output tokens of a benchmark without a prefix cache
    source: str  # in the user's words
    deployment: str = ""
    model: str = ""

    def of(self, models: Iterable[str], deployments: Iterable[str]) -> bool:
        """Whether it speaks for a deployment: every name of one kind is the one that it gives."""
        return set(deployments) == {self.deployment} if self.deployment else set(models) == {self.model}


def declared(
    capacities: Iterable[DeclaredCapacity], models: Iterable[str], deployments: Iterable[str]
) -> DeclaredCapacity | None:
    """What the user declared of a deployment: by its name before by its model."""
    models, deployments = set(models), set(deployments)
    fitting = [each for each in capacities if each.of(models, deployments)]
    return max(fitting, key=lambda each: bool(each.deployment), default=None)


class LearntCapacity(msgspec.Struct, frozen=True):
    """The body of a `capacity` event: one mix of one deployment. Of each UTC day of the trailing seven the best five
    minutes, so that K falls back to another day's when its own is over."""

    days: tuple[OperatingPoint, ...]  # in order

    def best(self, now_ms: int) -> OperatingPoint | None:
        """The five minutes that K is of; of equal ones the first."""
        return max(_trailing(self.days, now_ms), key=lambda point: point.computed_tok_s_per_gpu, default=None)

    def with_window(self, window: OperatingPoint) -> LearntCapacity:
        """After five minutes that met the SLO, which are the last; the same where they change nothing."""
        days = _trailing(self.days, window.to_ms)
        if days and _day(days[-1]) == _day(window):
            if days[-1].computed_tok_s_per_gpu < window.computed_tok_s_per_gpu:
                days[-1] = window
        else:
            days.append(window)
        return self if tuple(days) == self.days else LearntCapacity(tuple(days))


NOTHING_LEARNT = LearntCapacity(())


def met(window: OperatingPoint, target: float) -> bool:
    """Whether its requests surely met the SLO, and were enough to say so."""
    low, enough = window.attained_low, (window.ended_at_most or 0) >= FEWEST_REQUESTS
    return low is not None and low >= target and enough and window.computed_tokens > 0


def _trailing(points: Iterable[OperatingPoint], now_ms: int) -> list[OperatingPoint]:
    return [point for point in points if point.to_ms > now_ms - TRAILING_MS]


def _day(point: OperatingPoint) -> int:
    return (point.to_ms - 1) // DAY_MS


# --- its use ----------------------------------------------------------------------------------------------------------


def utilisation(computed_tok_s: float, tok_s_per_gpu: float, gpus: int) -> float:
    """Economic utilisation: actual ÷ (K × GPUs), 0..1; above 1 where the SLO is being missed, or K is out of date."""
    return computed_tok_s / (tok_s_per_gpu * gpus)


def headroom_tok_s(computed_tok_s: float, tok_s_per_gpu: float, gpus: int) -> float:
    """(K − actual) × GPUs in tokens a second: what could be sold besides; negative beyond K."""
    return tok_s_per_gpu * gpus - computed_tok_s


class HourOfLoad(msgspec.Struct, frozen=True, array_like=True):
    """What a deployment computed in one UTC hour, in the whole five minutes of it that were watched."""

    from_ms: int
    read_ms: int
    tokens: int
    peak_tokens: int  # of its highest five minutes …
    peak_ms: int  # … and how long those were watched

    @property
    def peak_tok_s(self) -> float:
        return self.peak_tokens * 1000 / self.peak_ms

    def with_window(self, window: OperatingPoint) -> HourOfLoad:
        """Five minutes more."""
        tokens = window.computed_tokens
        higher = tokens * self.peak_ms > self.peak_tokens * window.read_ms
        peak = (tokens, window.read_ms) if higher else (self.peak_tokens, self.peak_ms)
        return HourOfLoad(self.from_ms, self.read_ms + window.read_ms, self.tokens + tokens, *peak)


def hour_of(window: OperatingPoint) -> HourOfLoad:
    """Its hour, of which it is the first that was watched."""
    tokens, read_ms = window.computed_tokens, window.read_ms
    return HourOfLoad(window.from_ms // HOUR_MS * HOUR_MS, read_ms, tokens, tokens, read_ms)


class Load(msgspec.Struct, frozen=True):
    """The body of a `load` event: the last whole hours of a deployment, in order."""

    hours: tuple[HourOfLoad, ...]

    def trailing_day(self, before_ms: int) -> Load:
        """The last 24 of the hours that ended by then."""
        return Load(tuple(hour for hour in self.hours if before_ms - DAY_MS <= hour.from_ms < before_ms))

    @property
    def factor(self) -> float | None:
        """Load factor, 0..1: mean tok/s over the time watched ÷ that of its highest five minutes (a power plant's mean
        load ÷ peak load); None where nothing was computed."""
        peak = max((hour.peak_tok_s for hour in self.hours), default=0.0)
        read_ms = sum(hour.read_ms for hour in self.hours)
        return sum(hour.tokens for hour in self.hours) * 1000 / read_ms / peak if peak else None


NO_LOAD = Load(())
