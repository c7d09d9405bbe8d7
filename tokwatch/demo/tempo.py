"""How fast a simulated engine decodes: the busier it is, the longer each output token takes.

A decode step reads the weights once, and then does a little for each sequence: one that has more to do makes more
tokens a second, each of them later. So tokens a second and user fall in a straight line while those a second rise.

An engine has few *paces*, each a fifth slower than the one before. In each stretch of 20 s it is between two of them,
and decodes some of the requests that come at the one and some at the other, so that their mean time per token is the
exact one. Each pace has tables of its own then, and what it counts stays a sum that needs no loop (see load.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tokwatch.demo.waves import Quantity

STRETCH_S = 20.0  # shorter than a minute, over which speeds are compared, and longer than most requests
_SLOWER = 1.2  # a pace than the one before; single requests differ by as much, so the steps are not seen


@dataclass(frozen=True, slots=True)
class Tempo:
    """The pace of one engine by how busy it is."""

    busy: Quantity  # 0 nothing to do … 1 all that it can do
    free_s: float  # per output token, with nothing else to do
    full_s: float  # … and at the most that it can do; above free_s

    def paces(self) -> int:
        """How many there are: the first is free_s per token and the last at least full_s."""
        return 2 + int(math.log(self.full_s / self.free_s) / math.log(_SLOWER))

    def tpot_s(self, pace: int) -> float:
        """Seconds per output token."""
        return self.free_s * _SLOWER**pace

    def place(self, from_s: float, until_s: float) -> float:
        """Of the requests that come in between, none of them idle: 2.25 is a quarter at pace 3, the others at 2."""
        busy = (self.busy.integral(until_s) - self.busy.integral(from_s)) / (until_s - from_s)
        busy = min(1.0, max(0.0, busy))
        tpot_s = 1 / ((1 - busy) / self.free_s + busy / self.full_s)
        pace = int(math.log(tpot_s / self.free_s) / math.log(_SLOWER))
        return pace + min(1.0, max(0.0, tpot_s / self.tpot_s(pace) - 1) / (_SLOWER - 1))
