"""Sums over the last seconds: sliding windows and aligned buckets of integer quantities."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

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

    @property
    def first(self) -> tuple[int, tuple[int, ...]] | None:
        """(t1_ms, values) of the oldest entry inside; None where there is none."""
        return self._entries[0] if self._entries else None

    @property
    def last_ms(self) -> int | None:
        """t1 of the newest entry inside."""
        return self._entries[-1][0] if self._entries else None


class _Grown(NamedTuple):
    """What one entry added in (t0, t1], and all that was added before it."""

    t0_ms: int
    t1_ms: int
    amount: int
    known_ms: int  # the time that `amount` speaks for; not t1 − t0 on an axis that was slowed down
    amount_before: int
    known_before_ms: int

    def part(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        inside_ms, length_ms = clip_ms(self.t0_ms, self.t1_ms, from_ms, to_ms), self.t1_ms - self.t0_ms
        return self.amount * inside_ms // length_ms, self.known_ms * inside_ms // length_ms


class Grown:
    """By how much a counter grew between any two instants: whole entries, and the ends' ones interpolated linearly.

    Two counters that are read at different instants are set against each other by it. On a 10 s window whose ends are
    half a second apart the quotient is else wrong by up to 5 %, and joined on whole seconds by up to 21 %.
    """

    __slots__ = ("_entries", "width_ms")

    def __init__(self, width_ms: int) -> None:
        self.width_ms = width_ms
        self._entries: deque[_Grown] = deque()

    def add(self, t1_ms: int, amount: int, known_ms: int) -> None:
        """`amount` came in the known_ms before t1; without a length nothing is known of when."""
        if known_ms <= 0:
            return
        last = self._entries[-1] if self._entries else None
        before = (last.amount_before + last.amount, last.known_before_ms + last.known_ms) if last else (0, 0)
        self._entries.append(_Grown(t1_ms - known_ms, t1_ms, amount, known_ms, *before))

    def expire(self, now_ms: int) -> None:
        """Forget what ended at or before now − width."""
        edge = now_ms - self.width_ms
        while self._entries and self._entries[0].t1_ms <= edge:
            self._entries.popleft()

    def between(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """(amount, the time in it that is known, ms) of (from, to]."""
        entries = self._entries
        first = bisect_right(entries, from_ms, key=_t1_ms)
        end = bisect_right(entries, to_ms, key=_t1_ms)
        amount = known_ms = 0
        while first < end and entries[first].t0_ms < from_ms:
            part, part_ms = entries[first].part(from_ms, to_ms)
            amount, known_ms, first = amount + part, known_ms + part_ms, first + 1
        if first < end:
            start, last = entries[first], entries[end - 1]
            amount += last.amount_before + last.amount - start.amount_before
            known_ms += last.known_before_ms + last.known_ms - start.known_before_ms
        while end < len(entries) and entries[end].t0_ms < to_ms:
            part, part_ms = entries[end].part(from_ms, to_ms)
            amount, known_ms, end = amount + part, known_ms + part_ms, end + 1
        return amount, known_ms


def _t1_ms(entry: _Grown) -> int:
    return entry.t1_ms


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
