"""Wire: how many bytes a second went to the terminal of late."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 60.0
_LEAST_S = 10.0  # the first frame is twenty thousand bytes at once


class Wire:
    """Samples of what was written in all, the oldest a minute old."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def take(self, at_s: float, written_bytes: int) -> float | None:
        """Bytes a second over the last minute; None while less than ten seconds are known."""
        self._samples.append((at_s, written_bytes))
        while len(self._samples) > 1 and self._samples[0][0] < at_s - _WINDOW_S:
            self._samples.popleft()
        first_s, first_bytes = self._samples[0]
        length_s = at_s - first_s
        return (written_bytes - first_bytes) / length_s if length_s >= _LEAST_S else None
