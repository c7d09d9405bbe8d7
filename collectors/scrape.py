"""One bounded GET of a metrics page: deadline, byte cap, no redirects, log-ins that never leave their origin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collectors.credential import Credential, Origin
from collectors.http_answer import Answer, UnusualAnswer
from collectors.labels import clean_label
from collectors.plain_http import PlainHttp, plain_target
from collectors.readings import boottime_ns
from collectors.scrape_error import Failure, ScrapeError

if TYPE_CHECKING:
    from collectors.full_http import FullHttp

DEADLINE_S = 5.0  # vLLM's page took 1.06 s under load on two cores


@dataclass(frozen=True, slots=True)
class Page:
    """A page that came whole, with status 200."""

    body: bytes
    at_ns: int  # when its last byte arrived, CLOCK_BOOTTIME
    took_ms: int  # from the request to that
    content_type: str
    headers: dict[str, str]  # the kept ones that came, lower-case names


class Scraper:
    """Gets pages over kept-alive connections. Use it from one event loop.

    Plain pages are got in the plain way. What is unusual about a URL or an answer is aiohttp's: an origin that gave an
    unusual answer is asked again by it, and from then on.
    """

    def __init__(
        self,
        credentials: Collection[Credential] = (),
        *,
        keep_headers: Collection[str] = (),
        deadline_s: float = DEADLINE_S,
        now_ns: Callable[[], int] = boottime_ns,
        plain: bool = True,
    ) -> None:
        """plain: False has aiohttp get everything."""
        self._credentials = {credential.origin: credential for credential in credentials}
        self._keep_headers = {name.lower() for name in keep_headers}
        self._deadline_s = deadline_s
        self._now_ns = now_ns
        self._plain = PlainHttp() if plain else None
        self._full: FullHttp | None = None
        self._unusual: set[Origin] = set()

    async def get(self, url: str, *, configured: bool) -> Page:
        """The page at `url`. Raises ScrapeError.

        A credential is used only when `configured`, that is when the user named this URL: what merely was found
        listening on a port may be anybody's.
        """
        try:
            origin = Origin.of(url)
        except ValueError as error:
            raise ScrapeError(f"cannot read this URL: {error}", Failure.SETTING) from None
        credential = self._credentials.get(origin) if configured else None
        parts = urlsplit(url)
        where = f"{parts.netloc}{parts.path}"  # no query: it may hold a key
        started_ns = self._now_ns()
        try:
            async with asyncio.timeout(self._deadline_s):
                headers = await _headers(origin, credential)
                answer = await self._answer(url, origin, headers, where, credential.ca_file if credential else None)
        except TimeoutError:
            problem = f"{where} did not answer in full within {self._deadline_s:g} s: is it overloaded or stopped?"
            raise ScrapeError(problem, Failure.TIMEOUT) from None
        at_ns = self._now_ns()
        _check(answer, where)
        return Page(
            body=answer.body,
            at_ns=at_ns,
            took_ms=(at_ns - started_ns) // 1_000_000,
            content_type=clean_label(answer.headers.get("content-type", "")),
            headers={name: clean_label(answer.headers[name]) for name in self._keep_headers if name in answer.headers},
        )

    async def close(self) -> None:
        if self._plain is not None:
            await self._plain.close()
        if self._full is not None:
            await self._full.close()
            self._full = None

    async def _answer(
        self, url: str, origin: Origin, headers: dict[str, str], where: str, ca_file: Path | None
    ) -> Answer:
        target = plain_target(url)
        if self._plain is not None and target is not None and origin not in self._unusual:
            try:
                return await self._plain.get(origin, target, headers, where)
            except UnusualAnswer:
                self._unusual.add(origin)
        if self._full is None:
            client = await asyncio.to_thread(_aiohttp_client)
            self._full = self._full or client()  # another scrape may have waited for it too
        return await self._full.get(url, headers, where, ca_file)


def _aiohttp_client() -> type[FullHttp]:
    from collectors.full_http import FullHttp  # 0.25 s, in which the event loop should go on

    return FullHttp


async def _headers(origin: Origin, credential: Credential | None) -> dict[str, str]:
    headers = {
        # Not OpenMetrics: its renderings of names with ':' contradict themselves.
        "Accept": "text/plain;version=0.0.4",
        # Over loopback, packing costs the server more than it saves.
        "Accept-Encoding": "identity" if origin.host in ("127.0.0.1", "::1", "localhost") else "gzip",
    }
    if credential is not None and (authorization := await asyncio.to_thread(credential.authorization)):
        headers["Authorization"] = authorization
    return headers


def _check(answer: Answer, where: str) -> None:
    status = answer.status
    if status == 200:
        return
    if 300 <= status < 400:
        target = clean_label(answer.headers.get("location", "").partition("?")[0], 100)
        raise ScrapeError(f"{where} redirects to {target}: name that URL itself if you trust it", Failure.REDIRECT)
    if status in (401, 403):
        todo = "name a token or password file for it under its [[servers]] or [[meters]] in the config"
        problem = f"{where} wants a log-in (HTTP {status}): {todo}"
        raise ScrapeError(problem, Failure.LOGIN)
    if status == 404:
        problem = f"{where} is not there (HTTP 404): metrics may be switched off or under another path"
        raise ScrapeError(problem, Failure.NOT_FOUND)
    raise ScrapeError(f"{where} answers HTTP {status}", Failure.REFUSED)
