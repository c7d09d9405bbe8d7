"""Waves: the value of a simulated quantity at any instant, and its exact integral.

The C twin of this page is tests/nvml_stub/waves.c. Both do the same floating-point operations in the same order, so
that a scenario gives the same millijoules in both. Only `During`, which no line of a scenario says, has no twin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol


class Wave(Protocol):
    def at(self, t_s: float) -> float: ...

    def integral(self, t_s: float) -> float:
        """From second 0 to t_s; t_s >= 0."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    level: float

    def at(self, t_s: float) -> float:
        return self.level

    def integral(self, t_s: float) -> float:
        return self.level * t_s


@dataclass(frozen=True, slots=True)
class Square:
    """`high` for the first `duty` (0..1) of each period, then `low`; `phase_s` moves it to the left."""

    low: float
    high: float
    period_s: float
    duty: float
    phase_s: float = 0.0

    def at(self, t_s: float) -> float:
        cycles = (t_s + self.phase_s) / self.period_s
        return self.high if cycles - math.floor(cycles) < self.duty else self.low

    def integral(self, t_s: float) -> float:
        return self._since_phase(t_s + self.phase_s) - self._since_phase(self.phase_s)

    def _since_phase(self, s: float) -> float:
        cycles = float(math.floor(s / self.period_s))
        part = s / self.period_s - cycles
        whole = cycles * self.period_s * (self.duty * self.high + (1 - self.duty) * self.low)
        up = min(part, self.duty)
        return whole + self.period_s * (up * self.high + (part - up) * self.low)


@dataclass(frozen=True, slots=True)
class Sine:
    amplitude: float
    period_s: float
    phase_s: float = 0.0

    def at(self, t_s: float) -> float:
        return self.amplitude * math.sin(2 * math.pi * (t_s + self.phase_s) / self.period_s)

    def integral(self, t_s: float) -> float:
        start = math.cos(2 * math.pi * self.phase_s / self.period_s)
        end = math.cos(2 * math.pi * (t_s + self.phase_s) / self.period_s)
        return self.amplitude * self.period_s / (2 * math.pi) * (start - end)


@dataclass(frozen=True, slots=True)
class Ramp:
    """0 up to `start_s`, then a straight line to `level` at `end_s`, and `level` from there."""

    start_s: float
    end_s: float
    level: float

    def at(self, t_s: float) -> float:
        if t_s <= self.start_s:
            return 0.0
        if t_s >= self.end_s:
            return self.level
        return self.level * (t_s - self.start_s) / (self.end_s - self.start_s)

    def integral(self, t_s: float) -> float:
        length = self.end_s - self.start_s
        if t_s <= self.start_s:
            return 0.0
        if t_s <= self.end_s:
            return self.level * (t_s - self.start_s) * (t_s - self.start_s) / (2 * length)
        return self.level * length / 2 + self.level * (t_s - self.end_s)


@dataclass(frozen=True, slots=True)
class Segments:
    """Steps: (from_s, level), ascending; 0 before the first."""

    points: tuple[tuple[float, float], ...]

    def at(self, t_s: float) -> float:
        level = 0.0
        for from_s, step in self.points:
            if from_s > t_s:
                break
            level = step
        return level

    def integral(self, t_s: float) -> float:
        total = 0.0
        for i, (from_s, level) in enumerate(self.points):
            if from_s > t_s:
                break
            last = i + 1 == len(self.points) or self.points[i + 1][0] > t_s
            total += level * ((t_s if last else self.points[i + 1][0]) - from_s)
        return total


@dataclass(frozen=True, slots=True)
class Quantity:
    """A sum of waves."""

    waves: tuple[Wave, ...]

    def at(self, t_s: float) -> float:
        return _in_order(wave.at(t_s) for wave in self.waves)

    def integral(self, t_s: float) -> float:
        return _in_order(wave.integral(t_s) for wave in self.waves)


ZERO = Quantity(())


@dataclass(frozen=True, slots=True)
class During:
    """`factor` × another wave within the spans (from_s, until_s), 0 outside: what a server does while it lives."""

    wave: Wave
    factor: float
    spans: tuple[tuple[float, float], ...]

    def at(self, t_s: float) -> float:
        return (
            self.factor * self.wave.at(t_s) if any(from_s <= t_s < until_s for from_s, until_s in self.spans) else 0.0
        )

    def integral(self, t_s: float) -> float:
        return self.factor * _in_order(
            self.wave.integral(min(until_s, t_s)) - self.wave.integral(from_s)
            for from_s, until_s in self.spans
            if from_s < t_s
        )


def _in_order(terms: Iterable[float]) -> float:
    """Plain left-to-right addition, as in C: from Python 3.12 on, sum() compensates the rounding of floats."""
    total = 0.0
    for term in terms:
        total += term
    return total


_SHAPES: dict[str, tuple[Callable[..., Wave], int, int]] = {  # how to build it, fewest and most numbers
    "square": (Square, 4, 5),
    "sine": (Sine, 2, 3),
    "ramp": (Ramp, 3, 3),
}


def parse_wave(text: str) -> Wave:
    """A bare number, or `square …`, `sine …`, `ramp …`, `segments T:LEVEL …`; ValueError says what is wrong."""
    kind, *words = text.split()
    if kind == "segments":
        return _parse_segments(words)
    if kind not in _SHAPES:
        return Constant(float(text))
    shape, fewest, most = _SHAPES[kind]
    if not fewest <= len(words) <= most:
        raise ValueError(f"{kind} takes {fewest} to {most} numbers, not {len(words)}")
    return shape(*(float(word) for word in words))


def _parse_segments(words: list[str]) -> Segments:
    points = []
    for word in words:
        from_s, _, level = word.partition(":")
        points.append((float(from_s), float(level)))
    times = [from_s for from_s, _ in points]
    if not times or times[0] < 0 or times != sorted(times):
        raise ValueError("segments are T:LEVEL pairs in ascending order of T, from 0 on")
    return Segments(tuple(points))
