"""Histogram increments as one small blob a flow: variable-length integers, empty buckets left out.

A blob holds, for each histogram: id in `histogram_edges`, sum_us (zigzag), the number of buckets that are not empty,
then for each of those the empty ones before it and its count. A quiet tick of four histograms takes 12 bytes.
"""

from __future__ import annotations

import json
import sqlite3

from tokwatch.ledger.entries import HistogramEntry
from tokwatch.store.errors import StoreError


class HistogramCodec:
    """Packs and unpacks the histograms of one store; belongs to the connection it is given."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids: dict[tuple[str, tuple[float, ...]], int] = {}
        self._shapes: dict[int, tuple[str, tuple[float, ...]]] = {}

    def forget(self) -> None:
        """After a rollback: ids given out inside it do not exist."""
        self._ids.clear()
        self._shapes.clear()

    def pack(self, histograms: tuple[HistogramEntry, ...]) -> bytes | None:
        """None for no histograms. Inserts edges not seen before, inside the caller's transaction."""
        if not histograms:
            return None
        numbers: list[int] = []
        for histogram in histograms:
            filled = [(bucket, count) for bucket, count in enumerate(histogram.counts) if count]
            sum_us = histogram.sum_us
            numbers += (self._id(histogram), sum_us << 1 if sum_us >= 0 else ~(sum_us << 1), len(filled))
            after = 0
            for bucket, count in filled:
                numbers += (bucket - after, count)
                after = bucket + 1
        return _pack(numbers)

    def unpack(self, blob: bytes | None) -> tuple[HistogramEntry, ...]:
        """Raises StoreError for a blob that was damaged."""
        if blob is None:
            return ()
        histograms = []
        numbers = iter(_unpack(blob))
        try:
            for shape in numbers:
                name, edges = self._shape(shape)
                zigzag, filled = next(numbers), next(numbers)
                counts = [0] * (len(edges) + 1)
                bucket = 0
                for _ in range(filled):
                    bucket += next(numbers)
                    counts[bucket] = next(numbers)
                    bucket += 1
                sum_us = zigzag >> 1 if not zigzag & 1 else ~(zigzag >> 1)
                histograms.append(HistogramEntry(name, edges, tuple(counts), sum_us))
        except (StopIteration, IndexError) as error:
            raise StoreError("a histogram in the store is damaged; check it with `tokwatch doctor --store`") from error
        return tuple(histograms)

    def _id(self, histogram: HistogramEntry) -> int:
        key = (histogram.name, histogram.edges)
        known = self._ids.get(key)
        if known is None:
            row = (histogram.name, json.dumps(histogram.edges, allow_nan=False))
            self._connection.execute(
                "INSERT INTO histogram_edges (name, edges) VALUES (?, ?) ON CONFLICT DO NOTHING", row
            )
            known = self._connection.execute(
                "SELECT id FROM histogram_edges WHERE name = ? AND edges = ?", row
            ).fetchone()[0]
            self._ids[key] = known
        return known

    def _shape(self, id_: int) -> tuple[str, tuple[float, ...]]:
        known = self._shapes.get(id_)
        if known is None:
            row = self._connection.execute("SELECT name, edges FROM histogram_edges WHERE id = ?", (id_,)).fetchone()
            if row is None:
                raise StoreError(f"the store has no histogram edges {id_}; check it with `tokwatch doctor --store`")
            known = (row[0], tuple(json.loads(row[1])))
            self._shapes[id_] = known
        return known


def _pack(numbers: list[int]) -> bytes:
    """Little-endian base 128, the high bit set on all but the last byte of a number."""
    out = bytearray()
    for number in numbers:
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def _unpack(blob: bytes) -> list[int]:
    numbers = []
    number = shift = 0
    for byte in blob:
        if byte > 0x7F:
            number |= (byte & 0x7F) << shift
            shift += 7
        else:
            numbers.append(number | byte << shift)
            number = shift = 0
    return numbers
