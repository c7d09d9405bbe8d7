"""Sums over the last seconds: sliding windows and aligned buckets of integer quantities."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import HistogramEntry

_PARTS = 1_000_000  # a share of an amount in whole parts: sums do not depend on their order


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
    """An amount per aligned stretch of time, for sparklines: the picture does not crawl as the window slides.

    An entry is spread evenly over the stretches it lies in (no figure is made of it): else pages read every 15 s would
    draw a comb into columns of 4 s.
    """

    __slots__ = ("_sums", "count", "width_ms")

    def __init__(self, width_ms: int, count: int) -> None:
        self.width_ms = width_ms
        self.count = count
        self._sums: dict[int, tuple[int, int]] = {}  # amount × _PARTS, ms

    def add(self, t0_ms: int, t1_ms: int, amount: int) -> None:
        """`amount` came in (t0, t1]; without a length nothing is known of when."""
        if t0_ms == t1_ms:
            return
        last = -(-t1_ms // self.width_ms)
        for bucket in range(max(t0_ms // self.width_ms + 1, last - self.count), last + 1):
            inside_ms = clip_ms(t0_ms, t1_ms, (bucket - 1) * self.width_ms, bucket * self.width_ms)
            before = self._sums.get(bucket, (0, 0))
            part = amount * _PARTS * inside_ms // (t1_ms - t0_ms)
            self._sums[bucket] = (before[0] + part, before[1] + inside_ms)

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
        return [pair[0] / _PARTS / pair[1] if pair is not None else None for pair in sums]
