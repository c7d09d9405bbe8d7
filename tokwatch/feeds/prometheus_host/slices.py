"""A stretch of a host's past, asked for in slices that stay small: in memory, in the reply, and for the server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from typing import Final, TypeAlias

from collectors.prometheus.host_pages import HostPages, Scraped
from collectors.prometheus.query_error import QueryError
from collectors.scrape_error import Failure
from tokwatch.feeds.fleet.errors import SourceError

_FIRST_SLICE_MS: Final = 600_000
_SLICE_SAMPLES: Final = 200_000  # of 100 bytes in memory
_SHORTEST_SLICE_MS: Final = 10_000
_LONGEST_SLICE_MS: Final = 86_400_000  # of nothing
_TRIES: Final = 4  # of a slice, while the server is too busy
_MAY_PASS: Final = frozenset({Failure.UNREACHABLE, Failure.TIMEOUT, Failure.REFUSED})

_GIVEN_UP: Final = "the import was given up"

_Answer: TypeAlias = tuple[Scraped, int]  # and up to when everything was answered, Unix ms


class Slices:
    """Answers to one query after another. While one is worked on in the writer's thread, the next is asked for."""

    def __init__(self, pages: HostPages, since_ms: int, until_ms: int, loop: asyncio.AbstractEventLoop) -> None:
        self._pages = pages
        self._loop = loop
        self._asked_ms = since_ms - 1
        self._until_ms = until_ms
        self._length_ms = _FIRST_SLICE_MS
        self._first: list[_Answer] = []
        self._asked: Future[_Answer] | None = None
        self._stopped = False
        self.samples = self.bytes = 0
        self.warnings: dict[str, None] = {}

    async def first(self) -> Scraped | None:
        """The first answer that has pages; it is also the first of `each`."""
        while self._asked_ms < self._until_ms:
            answer = await self._next()
            if answer[0].pages:
                self._first.append(answer)
                return answer[0]
        return None

    def each(self) -> Iterator[_Answer]:
        """(answer, up to when everything was answered), outside of the event loop."""
        yield from self._first
        waiting = self._ask()
        while waiting is not None:
            try:
                answer = waiting.result()
            except CancelledError as error:
                raise SourceError(_GIVEN_UP) from error
            waiting = self._ask()
            yield answer

    def stop(self) -> None:
        """Nobody waits for it any more: what is asked for is not, and whoever works on an answer is told so."""
        self._stopped = True
        if self._asked is not None:
            self._asked.cancel()

    def _ask(self) -> Future[_Answer] | None:
        if self._stopped:
            raise SourceError(_GIVEN_UP)
        if self._asked_ms >= self._until_ms:
            return None
        self._asked = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        if self._stopped:  # meanwhile, by the loop's thread
            self._asked.cancel()
        return self._asked

    async def _next(self) -> _Answer:
        tries = 0
        while True:
            until_ms = min(self._asked_ms + self._length_ms, self._until_ms)
            try:
                answer = await self._pages.between(self._asked_ms, until_ms)
            except QueryError as error:
                tries += 1
                if error.failure is Failure.TOO_LARGE and self._length_ms > _SHORTEST_SLICE_MS:
                    self._length_ms = max(_SHORTEST_SLICE_MS, self._length_ms // 4)
                elif error.failure in _MAY_PASS and tries < _TRIES:
                    await asyncio.sleep(error.retry_in_s or 2.0**tries)
                else:
                    raise
                continue
            self._take(answer, until_ms - self._asked_ms)
            self._asked_ms = until_ms
            return answer, until_ms

    def _take(self, answer: Scraped, length_ms: int) -> None:
        self.samples += answer.samples
        self.bytes += answer.bytes
        self.warnings |= dict.fromkeys(answer.warnings)
        if not answer.samples:  # before its first sample, or while nobody scraped it
            self._length_ms = min(2 * self._length_ms, _LONGEST_SLICE_MS)
        else:
            fitting_ms = length_ms * _SLICE_SAMPLES // answer.samples
            self._length_ms = max(_SHORTEST_SLICE_MS, min(fitting_ms, 2 * self._length_ms))
