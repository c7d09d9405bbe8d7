"""What watching a fleet costs: the share of a core that this process took of late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import WARMING_UP, unknown

_WINDOW_NS: Final = 60_000_000_000
_LEAST_NS: Final = 10_000_000_000


class OwnCpu:
    """Samples of the CPU seconds so far, the oldest a minute old."""

    def __init__(self, cpu_s: Callable[[], float]) -> None:
        self._cpu_s = cpu_s
        self._samples: deque[tuple[int, float]] = deque()

    def share(self, now_ns: int) -> Figure:
        """Of one core, averaged over the last minute; unknown before ten seconds are."""
        self._samples.append((now_ns, self._cpu_s()))
        while len(self._samples) > 1 and self._samples[1][0] <= now_ns - _WINDOW_NS:
            self._samples.popleft()
        first_ns, first_s = self._samples[0]
        length_ns = now_ns - first_ns
        if length_ns < _LEAST_NS:
            return unknown(WARMING_UP)
        return Figure((self._samples[-1][1] - first_s) * 1e9 / length_ns)
