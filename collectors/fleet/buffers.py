"""Receive buffers that are lent for the length of one answer: of 5000 endpoints only a few answer at once."""

from __future__ import annotations

from typing import Final

FIRST_BYTES: Final = 32 * 1024
_MOST_KEPT: Final = 64


class Buffers:
    """Lends buffers; a page that needs a larger one than it got is given one, and that is kept for the next."""

    def __init__(self) -> None:
        self._free: list[bytearray] = []

    def borrow(self) -> bytearray:
        return self._free.pop() if self._free else bytearray(FIRST_BYTES)

    def larger(self, buffer: bytearray, used: int) -> bytearray:
        """One of twice the size with the first `used` bytes of `buffer`, which is given up."""
        grown = bytearray(2 * len(buffer))
        grown[:used] = memoryview(buffer)[:used]
        return grown

    def give_back(self, buffer: bytearray) -> None:
        if len(self._free) < _MOST_KEPT:
            self._free.append(buffer)
