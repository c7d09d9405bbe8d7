"""Sums over the last seconds: sliding windows and aligned buckets of integer quantities."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tokwatch.ledger.entries import HistogramEntry


class Window:
    """Sums of integer tuples over (now − width, now], by t1. Integers, so adding and taking away is exact."""

    __slots__ = ("_entries", "sums", "width_ms")

    def __init__(self, width_ms: int, fields: int) -> None:
        self.width_ms = width_ms
        self.sums = [0] * fields
        self._entries: deque[tuple[int, tuple[int, ...]]] = deque()

    def add(self, t1_ms: int, values: tuple[int, ...]) -> None:
        self._entries.append((t1_ms, values))
        for i, value in enumerate(values):
            self.sums[i] += value

    def expire(self, now_ms: int) -> None:
        """Forget what ended at or before now − width."""
        edge = now_ms - self.width_ms
        while self._entries and self._entries[0][0] <= edge:
            for i, value in enumerate(self._entries.popleft()[1]):
                self.sums[i] -= value


class HistogramWindow:
    """Observations per bucket over (now − width, now], by histogram name and edges."""

    __slots__ = ("_counts", "_entries", "width_ms")

    def __init__(self, width_ms: int) -> None:
        self.width_ms = width_ms
        self._entries: deque[tuple[int, HistogramEntry]] = deque()
        self._counts: dict[tuple[str, tuple[float, ...]], list[int]] = {}

    def add(self, t1_ms: int, entry: HistogramEntry) -> None:
        if not any(entry.counts):
            return
        self._entries.append((t1_ms, entry))
        counts = self._counts.setdefault((entry.name, entry.edges), [0] * len(entry.counts))
        for i, count in enumerate(entry.counts):
            counts[i] += count

    def expire(self, now_ms: int) -> None:
        edge = now_ms - self.width_ms
        while self._entries and self._entries[0][0] <= edge:
            entry = self._entries.popleft()[1]
            counts = self._counts[entry.name, entry.edges]
            for i, count in enumerate(entry.counts):
                counts[i] -= count
            if not any(counts):
                del self._counts[entry.name, entry.edges]

    def named(self, name: str) -> Iterator[tuple[tuple[float, ...], list[int]]]:
        """(edges, counts per bucket) of every bucket layout seen under that name."""
        return ((edges, counts) for (n, edges), counts in sorted(self._counts.items()) if n == name)


class Buckets:
    """Two sums per aligned stretch of time, for sparklines: the picture does not crawl as the window slides."""

    __slots__ = ("_sums", "count", "width_ms")

    def __init__(self, width_ms: int, count: int) -> None:
        self.width_ms = width_ms
        self.count = count
        self._sums: dict[int, tuple[int, int]] = {}

    def add(self, t1_ms: int, amount: int, length_ms: int) -> None:
        bucket = -(-t1_ms // self.width_ms)
        before = self._sums.get(bucket, (0, 0))
        self._sums[bucket] = (before[0] + amount, before[1] + length_ms)

    def expire(self, now_ms: int) -> None:
        oldest = now_ms // self.width_ms - self.count
        for bucket in [b for b in self._sums if b <= oldest]:
            del self._sums[bucket]

    def rates(self, now_ms: int) -> list[float | None]:
        """amount per ms of the last whole buckets, oldest first; None where nothing was watched.

        The running bucket is left out: after each edge it would be empty for a moment, and then jump.
        """
        newest = now_ms // self.width_ms
        sums = (self._sums.get(bucket) for bucket in range(newest - self.count + 1, newest + 1))
        return [pair[0] / pair[1] if pair is not None and pair[1] else None for pair in sums]
