"""The requests that came to one process of a simulated server: how many, and at which pace each is decoded."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

from tokwatch.demo.tempo import STRETCH_S, Tempo
from tokwatch.demo.waves import Quantity

_ROUNDING = 1e-6  # a fluid request is there a millionth early, or float noise in an idle stretch could make one


class Arrivals:
    """Requests come as a fluid: the n-th is there when the integral of the rate reaches n.

    What is kept of past stretches is only there to save time: it follows from the waves, whenever it is asked for.
    """

    def __init__(self, requests_per_s: Quantity, tempo: Tempo | None, since_s: float) -> None:
        """`tempo` None: an engine of one pace."""
        self._requests_per_s = requests_per_s
        self._tempo = tempo
        self._since_s = since_s
        self._begun = requests_per_s.integral(since_s)
        self._places: list[float] = []  # of each stretch
        self._before = [(0,) * (tempo.paces() if tempo else 1)]  # requests at each pace before each stretch …
        self._sums = [0]  # … and at all paces

    def until(self, t_s: float) -> float:
        """How many have come, a real number; t_s may be before the process."""
        return max(0.0, self._requests_per_s.integral(max(t_s, self._since_s)) - self._begun) + _ROUNDING

    def at_pace(self, pace: int, t_s: float) -> float:
        """How many of them are decoded at this pace; those of all paces add up to `until`."""
        if self._tempo is None:
            return self.until(t_s)
        stretch = max(0, int((t_s - self._since_s) / STRETCH_S))
        self._reach(stretch)
        # A request on its way when its stretch ends stays one of that stretch, or its pace would lose it.
        first = max(0, bisect_left(self._sums, self._sums[stretch]) - 1)
        if (before := self._before[first][pace]) == self._before[stretch + 1][pace]:
            return before  # none of this pace lately: most paces at most times
        came = self.until(t_s)
        stretch = min(stretch, bisect_right(self._sums, came) - 1)
        return self._before[stretch][pace] + _part(pace, self._places[stretch], came - self._sums[stretch])

    def _reach(self, stretch: int) -> None:
        assert self._tempo is not None
        while len(self._places) <= stretch:
            from_s = self._since_s + len(self._places) * STRETCH_S
            until_s = from_s + STRETCH_S
            place = self._tempo.place(from_s, until_s)
            came = max(0, math.ceil(self.until(until_s)) - self._sums[-1])
            self._places.append(place)
            self._before.append(tuple(n + int(_part(pace, place, came)) for pace, n in enumerate(self._before[-1])))
            self._sums.append(self._sums[-1] + came)


def _part(pace: int, place: float, n: float) -> float:
    """Of the first n requests of a stretch those at this pace: whole ones of whole ones, one after another."""
    lower, slower = int(place), place % 1
    if not 0 <= pace - lower <= 1:
        return 0.0
    whole = int(n)
    here, next_ = int(whole * slower), int((whole + 1) * slower)
    if pace == lower:
        here, next_ = whole - here, whole + 1 - next_
    return here + (n - whole) * (next_ - here)
