"""GETs by aiohttp, whose errors become ours: TLS, packed bodies, and all of HTTP that the plain client leaves alone.

Import it only where it is needed: aiohttp takes 0.25 s and 12 MB.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from collectors.http_answer import Answer
from collectors.labels import clean_label
from collectors.scrape_error import (
    MAX_PAGE_BYTES,
    Failure,
    ScrapeError,
    bad_answer,
    no_answer,
    too_large,
    unreachable,
)


class FullHttp:
    """One aiohttp client with kept-alive connections."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # the scraper's covers the whole exchange
            trust_env=False,  # a proxy from the environment has no business between us and a port of this box
        )
        self._trust: dict[Path, ssl.SSLContext] = {}

    async def get(self, url: str, headers: Mapping[str, str], where: str, ca_file: Path | None) -> Answer:
        """The answer at `url`, whatever its status. Raises ScrapeError, whose text quotes no header and no query."""
        trust = True if ca_file is None else await asyncio.to_thread(self._trusting, ca_file)
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False, ssl=trust) as answer:
                told = {name.lower(): answer.headers[name] for name in answer.headers}  # the first of each
                body = await _body(answer, where) if answer.status == 200 else b""
                return Answer(answer.status, told, body)
        except aiohttp.ClientSSLError as error:
            problem = f"{where}: TLS failed ({_tls_reason(error)}): set ca_file if the certificate is your own"
            raise ScrapeError(problem, Failure.TLS) from None
        except aiohttp.ClientConnectorError as error:
            raise unreachable(where, error.os_error) from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise no_answer(where) from None
        except aiohttp.InvalidURL:
            raise ScrapeError("cannot read this URL: it is malformed", Failure.SETTING) from None
        except aiohttp.ClientError as error:
            raise bad_answer(where, type(error).__name__) from None

    async def close(self) -> None:
        await self._session.close()

    def _trusting(self, ca_file: Path) -> ssl.SSLContext:
        if ca_file not in self._trust:
            try:
                self._trust[ca_file] = ssl.create_default_context(cafile=ca_file)
            except OSError as error:  # ssl.SSLError is one
                problem = f"cannot use the CA file {ca_file}: {error.strerror or 'no certificate in it'}"
                raise ScrapeError(problem, Failure.SETTING) from None
        return self._trust[ca_file]


async def _body(answer: aiohttp.ClientResponse, where: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_chunked(2**20):  # unpacked bytes, so a gzip bomb is counted at full size
        size += len(chunk)
        if size > MAX_PAGE_BYTES:
            raise too_large(where)
        chunks.append(chunk)
    return b"".join(chunks)  # most pages come in one piece, which is then not copied


def _tls_reason(error: aiohttp.ClientSSLError) -> str:
    cause = error.__cause__
    reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
    return clean_label(reason, 80) or "handshake"
