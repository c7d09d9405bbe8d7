"""How late pages are: from when an endpoint was due to when its page had been read, counted by milliseconds."""

from __future__ import annotations

from typing import Final

_LONGEST_MS: Final = 2000


class Lags:
    """Counts; two stretches of time are kept, so that what is told is of the last one to two of them."""

    def __init__(self) -> None:
        self._now = [0] * (_LONGEST_MS + 1)
        self._before = [0] * (_LONGEST_MS + 1)

    def add(self, lag_s: float) -> None:
        self._now[min(int(lag_s * 1000), _LONGEST_MS)] += 1

    def turn(self) -> None:
        """Another stretch begins; the one before the last is forgotten."""
        self._before, self._now = self._now, [0] * (_LONGEST_MS + 1)

    @property
    def count(self) -> int:
        return sum(self._now) + sum(self._before)

    def quantile_ms(self, share: float) -> int | None:
        """The lag that `share` of the pages were not later than, to the millisecond above; None: there were none."""
        left = share * self.count
        if not left:
            return None
        for ms, (now, before) in enumerate(zip(self._now, self._before, strict=True), 1):
            left -= now + before
            if left <= 0:
                return ms
        return _LONGEST_MS + 1
