"""Questions about stretches of quarter hours: sent a few at a time, patient with a busy server, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from collectors.prometheus.answers import Matrix, PrometheusApi, Vector
from collectors.prometheus.query_error import QueryError
from tokwatch.store.rollup import QUARTER_MS

Labels = Mapping[str, str]
Sleep = Callable[[float], Awaitable[None]]

_TRIES: Final = 5  # of a query that a busy server puts off

_Answer = TypeVar("_Answer", Vector, Matrix)


class Stretch(NamedTuple):
    """Whole quarter hours: from the start of the first to the end of the last, Unix milliseconds."""

    start_ms: int
    end_ms: int

    @property
    def quarters(self) -> range:
        """Their starts."""
        return range(self.start_ms, self.end_ms, QUARTER_MS)

    @property
    def length_s(self) -> float:
        return (self.end_ms - self.start_ms) / 1000


class Point(NamedTuple):
    """One value of one quarter hour."""

    labels: Labels
    quarter_ms: int
    value: float


@dataclass(slots=True)
class Asked:
    """What was asked so far, and what came of it."""

    queries: int = 0
    bytes: int = 0  # of the answers, as they came
    server_s: float = 0.0
    # What was said of answers that are not whole, in order, and from when to when that may have left something out.
    warnings: dict[str, Stretch] = field(default_factory=dict)

    def warned(self, words: str, about: Stretch) -> None:
        known = self.warnings.get(words, about)
        self.warnings[words] = Stretch(min(known.start_ms, about.start_ms), max(known.end_ms, about.end_ms))


class Asking:
    """A PrometheusApi for a long walk."""

    def __init__(self, api: PrometheusApi, sleep: Sleep = asyncio.sleep) -> None:
        self._api = api
        self._sleep = sleep
        self.asked = Asked()
        self.about = Stretch(0, 0)  # the quarter hours that are asked about now, whatever a query looks at for that

    async def quarters(self, query: str, stretch: Stretch) -> list[Point]:
        """The values of an expression at the end of each quarter hour, each under the start of it."""
        first_s, last_s = (stretch.start_ms + QUARTER_MS) / 1000, stretch.end_ms / 1000
        answer = await self._patiently(lambda: self._api.range(query, first_s, last_s, QUARTER_MS / 1000))
        return [
            Point(labels, round(at_s * 1000) - QUARTER_MS, value)
            for labels, times_s, values in zip(answer.labels, answer.times_s, answer.values, strict=True)
            for at_s, value in zip(times_s, values, strict=True)
        ]

    async def instant(self, query: str, at_ms: int) -> Vector:
        return await self._patiently(lambda: self._api.instant(query, at_ms / 1000))

    async def samples(self, query: str, at_ms: int) -> Matrix:
        return await self._patiently(lambda: self._api.samples(query, at_ms / 1000))

    async def label_values(self, label: str, matches: Sequence[str], stretch: Stretch) -> tuple[str, ...]:
        self.asked.queries += 1
        return await self._api.label_values(label, matches, stretch.start_ms / 1000, stretch.end_ms / 1000)

    async def _patiently(self, ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """Raises QueryError."""
        for tries_left in reversed(range(_TRIES)):
            self.asked.queries += 1
            try:
                answer = await ask()
            except QueryError as error:
                if error.retry_in_s is None or not tries_left:
                    raise
                await self._sleep(error.retry_in_s)
                continue
            self.asked.bytes += answer.bytes
            self.asked.server_s += answer.took_s
            for words in answer.warnings:
                self.asked.warned(words, self.about)
            return answer
        raise AssertionError("the last try raises or returns")
