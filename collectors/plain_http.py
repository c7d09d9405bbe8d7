"""GETs over plain HTTP/1.1 and kept-alive connections: a small part of the protocol, which nearly all pages need.

aiohttp knows the rest, takes 12 MB to import and most of the time of a scrape.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

from collectors.credential import Origin
from collectors.http_answer import Answer, AnswerReader, AnswerTooLarge, UnusualAnswer
from collectors.scrape_error import MAX_PAGE_BYTES, bad_answer, no_answer, too_large, unreachable

KEPT_S = 15.0  # an idle connection is not kept longer
_NEXT_ADDRESS_S = 0.25  # RFC 8305: how long the first address of a name is waited for alone

# What needs no escaping and no normalising, so that what was checked is what is sent.
_PLAIN_URL = re.compile(
    r"http://"
    r"(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]+\])"
    r"(?::[1-9][0-9]{0,4})?"
    r"(/[a-z0-9._~!$&'()*,;=:@/-]*)?"
    r"(\?[a-z0-9._~!$&'()*,;=:@/-]*)?",
    re.ASCII | re.IGNORECASE,
)


def plain_target(url: str) -> str | None:
    """The target of the request line ("/metrics?name=a"); None: the URL is not a plain one."""
    parts = _PLAIN_URL.fullmatch(url)
    if parts is None or "/." in (path := parts[1] or "/"):
        return None
    return path + (parts[2] or "")


class PlainHttp:
    """Keeps one idle connection an origin; several exchanges with one at once have connections of their own."""

    def __init__(self) -> None:
        self._idle: dict[Origin, _Connection] = {}

    async def get(self, origin: Origin, target: str, headers: Mapping[str, str], where: str) -> Answer:
        """`target` of `origin`. Raises ScrapeError, and UnusualAnswer for what another client should ask again.

        headers: checked values, without line ends. A kept connection that the server closed meanwhile is replaced
        once (RFC 9112 §9.3.1). The whole exchange may be cancelled at any time.
        """
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        lines = {"Host": host if origin.port == 80 else f"{host}:{origin.port}", **headers}
        request = f"GET {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        data = f"{request}\r\n".encode("ascii")
        kept = self._idle.pop(origin, None)
        try:
            if kept is not None and not kept.is_lost:
                try:
                    return await self._exchange(kept, origin, data)
                except _Closed as closed:
                    if closed.began:
                        raise
            return await self._exchange(await _connected(origin, where), origin, data)
        except _Closed as closed:
            raise (bad_answer(where, "cut off") if closed.began else no_answer(where)) from None
        except AnswerTooLarge:
            raise too_large(where) from None

    async def close(self) -> None:
        for connection in self._idle.values():
            connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # the loop closes the sockets at its next turn

    async def _exchange(self, connection: _Connection, origin: Origin, request: bytes) -> Answer:
        is_kept = False
        try:
            answer = await connection.ask(request)
            is_kept = answer.is_exact and origin not in self._idle
        finally:
            if not is_kept:
                connection.close()
        if is_kept:
            connection.rest()
            self._idle[origin] = connection
        return answer


class _Closed(Exception):
    """The connection ended before the answer did."""

    def __init__(self, began: bool) -> None:
        super().__init__()
        self.began = began


async def _connected(origin: Origin, where: str) -> _Connection:
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(
            _Connection, origin.host, origin.port, happy_eyeballs_delay=_NEXT_ADDRESS_S
        )
    except OSError as error:
        raise unreachable(where, error) from None
    return connection


class _Connection(asyncio.Protocol):
    """One connection and the exchange that it is in, if it is in one."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader: AnswerReader | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self.is_lost = False

    async def ask(self, request: bytes) -> Answer:
        """Send a request and wait for its answer. Raises _Closed, UnusualAnswer and AnswerTooLarge."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._reader, self._answer = AnswerReader(MAX_PAGE_BYTES), self._loop.create_future()
        self._transport.write(request)
        return await self._answer

    def rest(self) -> None:
        """Be idle, until asked again, or until that has taken too long."""
        self._reader = self._answer = None
        self._expiry = self._loop.call_later(KEPT_S, self.close)

    def close(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        self.is_lost = True
        self._transport.abort()

    # --- called by the loop ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._reader is None or self._answer is None or self._answer.done():
            self.close()  # nobody asked for this: what comes next could not be trusted to be an answer
            return
        try:
            answer = self._reader.feed(data)
        except (UnusualAnswer, AnswerTooLarge) as error:
            self._answer.set_exception(error)
        else:
            if answer is not None:
                self._answer.set_result(answer)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_lost = True
        if self._answer is not None and not self._answer.done():
            assert self._reader is not None
            self._answer.set_exception(_Closed(self._reader.began))
