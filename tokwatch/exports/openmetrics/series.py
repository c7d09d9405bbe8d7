"""Series of one range in little room: 16 bytes a sample of a counter, 24 of a gauge."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

Labels = tuple[tuple[str, str], ...]  # in the order they are written
Sample = tuple[int, float]  # Unix milliseconds, value


class Family(NamedTuple):
    """What all series of one name share. A counter's samples are called NAME_total."""

    name: str
    kind: Literal["counter", "gauge"]
    unit: str  # the last word of the name
    help: str
    divisor: int = 1  # amounts are collected in whole numbers: 1000 of them are one of the unit


class Series:
    """Amounts at edges of time, which must not go back; several at one edge are added up."""

    def __init__(self) -> None:
        self._edges_ms, self._amounts, self._weights = array("q"), array("d"), array("d")

    def add(self, edge_ms: int, amount: float, weight: float | None = None) -> None:
        """weight: what a mean is divided by; of a gauge's samples all have one, of a counter's none."""
        if self._edges_ms and self._edges_ms[-1] == edge_ms:
            self._amounts[-1] += amount
            if weight is not None:
                self._weights[-1] += weight
            return
        self._edges_ms.append(edge_ms)
        self._amounts.append(amount)
        if weight is not None:
            self._weights.append(weight)

    def counted(self, start_ms: int, edges_ms: Sequence[int], divisor: int) -> Iterator[Sample]:
        """The sum so far at the start of a range, where it is 0, and at every edge after it."""
        yield start_ms, 0.0
        total, place = 0.0, 0
        for edge_ms in edges_ms:
            while place < len(self._edges_ms) and self._edges_ms[place] <= edge_ms:
                total += self._amounts[place]
                place += 1
            yield edge_ms, total / divisor

    def means(self, divisor: int) -> Iterator[Sample]:
        """The mean over the time before each edge where there is one."""
        for edge_ms, amount, weight in zip(self._edges_ms, self._amounts, self._weights, strict=True):
            if weight:
                yield edge_ms, amount / weight / divisor
