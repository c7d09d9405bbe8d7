"""The state strip: stretches of one state per GPU over the last hours. Holes are time nobody watched."""

from __future__ import annotations

from tokwatch.ledger.entries import Flag, State

STRIP_MS = 3 * 3_600_000

_GAP = Flag.GAP.value  # a plain int: 86 000 entries of a strip are added at each seek, and `&` of an IntFlag takes 1 µs


class Strip:
    """States of one GPU in the last STRIP_MS."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: list[tuple[int, int, State]] = []

    def add(self, t0_ms: int, t1_ms: int, state: int, flags: int) -> None:
        """Append one entry; entries come in order. Gaps and first readings are not watched time."""
        if flags & _GAP or t0_ms == t1_ms:
            return
        if self._spans:
            start, end, last = self._spans[-1]
            if last == state and t0_ms <= end:
                self._spans[-1] = (start, t1_ms, last)
                return
        self._spans.append((t0_ms, t1_ms, State(state)))

    def expire(self, now_ms: int) -> None:
        edge = now_ms - STRIP_MS
        while self._spans and self._spans[0][1] <= edge:
            self._spans.pop(0)

    def spans(self, now_ms: int) -> list[tuple[int, int, State]]:
        """(from, to, state), oldest first, clipped to the strip."""
        edge = now_ms - STRIP_MS
        return [(max(start, edge), end, state) for start, end, state in self._spans if end > edge]
