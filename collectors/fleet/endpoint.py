"""One endpoint of many: asked at its turn over the fast lane while that goes, in the ways of a scrape else.

An endpoint is simple until it proves otherwise: a plain URL without a log-in, and answers that the fast lane can read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final, Protocol
from urllib.parse import urlsplit

from collectors.credential import Origin
from collectors.exposition import ExpositionError
from collectors.fleet.buffers import Buffers
from collectors.fleet.fast_lane import FastConnection
from collectors.fleet.lags import Lags
from collectors.fleet.page_samples import PageSamples, PageValues
from collectors.http_answer import Answer, UnusualAnswer
from collectors.plain_http import plain_target
from collectors.readings import boottime_ns
from collectors.scrape import DEADLINE_S, Scraper
from collectors.scrape_error import ScrapeError, unreachable

MOST_BACKOFF_S: Final = 30.0
_SLOW_AGAIN_S: Final = 600.0  # until an endpoint that was unusual is tried over the fast lane again
_ACCEPT: Final = "Accept: text/plain;version=0.0.4\r\nAccept-Encoding: identity\r\n"


class Listener(Protocol):
    """Who is told what came of each turn: one of these for each that was taken."""

    def read(self, endpoint: Endpoint, page: PageValues, at_ns: int) -> None: ...

    def failed(self, endpoint: Endpoint, problem: str) -> None: ...


class Transport:
    """What all endpoints of one recorder are asked with, and what they count together."""

    def __init__(self, scraper: Scraper, *, fast: bool = True, now_ns: Callable[[], int] = boottime_ns) -> None:
        """fast: False asks every endpoint in the ways of a scrape."""
        self.scraper = scraper
        self.fast = fast
        self.now_ns = now_ns
        self.buffers = Buffers()
        self.lags = Lags()
        self.tasks: set[asyncio.Task[None]] = set()
        self.pages = self.bytes = self.failures = self.skipped = 0
        self.first_asks = 0  # that may still be begun in this part of the interval


class Endpoint:
    """One URL. Used in one event loop."""

    __slots__ = (
        "_busy_since",
        "_connection",
        "_due",
        "_failures",
        "_is_fast",
        "_listener",
        "_origin",
        "_read_once",
        "_request",
        "_rest_until",
        "_samples",
        "_slow_until",
        "_task",
        "_transport",
        "url",
        "where",
    )

    def __init__(self, url: str, transport: Transport, listener: Listener, *, has_login: bool = False) -> None:
        """Raises ValueError for a URL that cannot be read."""
        self.url = url
        parts = urlsplit(url)
        self.where = f"{parts.netloc}{parts.path}"  # no query: it may hold a key
        self._origin = Origin.of(url)
        self._transport = transport
        self._listener = listener
        self._samples = PageSamples(parts.netloc)
        self._request = _request(url, parts.netloc)
        self._is_fast = transport.fast and bool(self._request) and not has_login
        self._connection: FastConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._due = self._rest_until = self._slow_until = 0.0
        self._busy_since: float | None = None
        self._failures = 0
        self._read_once = False

    @property
    def is_fast(self) -> bool:
        """Whether it is asked over the fast lane now."""
        return self._is_fast and self._slow_until <= self._due

    def turn(self, due: float) -> bool:
        """Ask, if it is not being asked still, does not rest after failures, and may be learnt now.

        False: this turn was not taken, and nothing will be told of it.
        """
        transport = self._transport
        if self._busy_since is not None:
            transport.skipped += 1
            if self._task is not None:
                if self._task.done() and not self._task.cancelled():
                    self._fail(f"{self.where}: a defect of tokwatch: {self._task.exception()!r}")
            elif due - self._busy_since >= DEADLINE_S:
                self._give_up()
            return False
        if due < self._rest_until:
            return False
        if not self._read_once:
            if not transport.first_asks:
                return False
            transport.first_asks -= 1
        self._due = self._busy_since = due
        if not self.is_fast:
            self._start(self._scrape())
        elif self._connection is not None and self._connection.is_open:
            self._connection.ask()
        else:
            self._start(self._connect())
        return True

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._connection is not None:
            self._connection.close()

    # --- told by the fast lane --------------------------------------------------------------------------------------

    def got(self, answer: Answer) -> None:
        if answer.status == 200:
            self._take(answer.body)
        else:  # which words its status deserves is known there
            self._start(self._scrape())

    def got_body(self, body: bytes) -> None:
        self._take(body)

    def failed(self, error: ScrapeError | UnusualAnswer) -> None:
        if isinstance(error, UnusualAnswer):
            self._slow_until = self._due + _SLOW_AGAIN_S
            self._start(self._scrape())
        else:
            self._fail(str(error))

    # --- one turn -----------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._transport.tasks.add(self._task)
        self._task.add_done_callback(self._transport.tasks.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DEADLINE_S):
                _, connection = await loop.create_connection(
                    lambda: FastConnection(self._request, self.where, self._transport.buffers, self),
                    self._origin.host,
                    self._origin.port,
                )
        except TimeoutError:
            self._fail(f"{self.where} did not answer within {DEADLINE_S:g} s: is it overloaded or stopped?")
        except OSError as error:
            self._fail(str(unreachable(self.where, error)))
        else:
            self._task = None
            self._connection = connection
            connection.ask()

    async def _scrape(self) -> None:
        transport = self._transport
        try:
            page = await transport.scraper.get(self.url, configured=True)
        except ScrapeError as error:
            self._fail(str(error))
        else:
            self._take(page.body)

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._fail(f"{self.where} did not answer in full within {DEADLINE_S:g} s: is it overloaded or stopped?")

    def _take(self, body: bytes) -> None:
        transport = self._transport
        at_ns = transport.now_ns()
        transport.pages += 1
        transport.bytes += len(body)
        try:
            page = self._samples.read(body, at_ns)
        except ExpositionError as error:
            self._fail(f"{self.where}: {error}")
            return
        self._failures, self._busy_since, self._task, self._read_once = 0, None, None, True
        transport.lags.add(asyncio.get_running_loop().time() - self._due)
        self._listener.read(self, page, at_ns)

    def _fail(self, problem: str) -> None:
        self._busy_since = self._task = None
        self._transport.failures += 1
        self._failures += 1
        if self._failures > 1:
            self._rest_until = self._due + min(MOST_BACKOFF_S, 2.0 ** min(self._failures - 1, 10))
        self._listener.failed(self, problem)


def _request(url: str, authority: str) -> bytes:
    """Of the fast lane; b"" where the URL is not a plain one."""
    target = plain_target(url)
    if target is None:
        return b""
    return f"GET {target} HTTP/1.1\r\nHost: {authority}\r\n{_ACCEPT}\r\n".encode("ascii")
