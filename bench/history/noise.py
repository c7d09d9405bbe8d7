"""Noise, as another wave of a scenario: meters and traffic are never as smooth as sums of sines."""

from __future__ import annotations

import math
import random
from itertools import accumulate


class Noise:
    """Steps around zero that resemble the step before them (an AR(1) process), repeating after `length_s`.

    Implements tokwatch.demo.waves.Wave, with an exact integral. Levels are cut at three `sigma`.
    """

    def __init__(self, sigma: float, seed: str, *, step_s: float, length_s: float, memory: float = 0.6) -> None:
        chance = random.Random(seed)
        fresh = sigma * math.sqrt(1 - memory * memory)
        self._step_s = step_s
        self._levels: list[float] = []
        level = 0.0
        for _ in range(math.ceil(length_s / step_s)):
            level = memory * level + chance.gauss(0.0, fresh)
            self._levels.append(min(max(level, -3 * sigma), 3 * sigma))
        self._sums = [0.0, *accumulate(each * step_s for each in self._levels)]

    def at(self, t_s: float) -> float:
        return self._levels[int(t_s / self._step_s) % len(self._levels)]

    def integral(self, t_s: float) -> float:
        rounds, rest = divmod(int(t_s / self._step_s), len(self._levels))
        into_s = t_s - (rounds * len(self._levels) + rest) * self._step_s
        return rounds * self._sums[-1] + self._sums[rest] + self._levels[rest] * into_s
