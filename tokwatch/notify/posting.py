"""One bounded HTTP POST of JSON: deadline, no redirects, log-ins that never leave their origin."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collectors.credential import Credential, Origin
from collectors.scrape_error import ScrapeError
from tokwatch.notify.outlet import NotifyError

if TYPE_CHECKING:  # importing aiohttp costs 0.25 s, which a recorder without webhooks must not pay
    import aiohttp

DEADLINE_S = 10.0


class Poster:
    """Posts to one URL of the config over a kept-alive connection. Use it from one event loop."""

    def __init__(self, url: str, credential: Credential | None, *, deadline_s: float = DEADLINE_S) -> None:
        """credential: of the URL's own origin. Raises ValueError for a URL that is none."""
        if credential is not None and credential.origin != Origin.of(url):
            raise ValueError("a credential is good for its own origin alone")
        parts = urlsplit(url)
        self._url = url
        self._credential = credential
        self._deadline_s = deadline_s
        self._session: aiohttp.ClientSession | None = None
        self.where = parts.netloc  # no more of it: the hooks of chat services have their key in the path

    async def post(self, body: bytes) -> None:
        """Any 2xx is success. Raises NotifyError."""
        try:
            async with asyncio.timeout(self._deadline_s):
                status = await self._status_of(body)
        except TimeoutError:
            raise NotifyError(f"{self.where} did not answer within {self._deadline_s:g} s") from None
        if 300 <= status < 400:
            raise NotifyError(f"{self.where} redirects (HTTP {status}): name the other URL itself if you trust it")
        if status in (401, 403):
            raise NotifyError(f"{self.where} wants a log-in (HTTP {status}): name a token or password file under it")
        if not 200 <= status < 300:
            raise NotifyError(f"{self.where} refused the alert (HTTP {status}): is the address right?")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _status_of(self, body: bytes) -> int:
        """aiohttp's errors as ours. Their texts are not used: they quote URLs and headers."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None), trust_env=False
            )
        headers, trust = {"Content-Type": "application/json"}, True
        context: ssl.SSLContext | bool = trust
        if self._credential is not None:
            try:
                authorization = await asyncio.to_thread(self._credential.authorization)
            except ScrapeError as error:
                raise NotifyError(str(error)) from None
            if authorization:
                headers["Authorization"] = authorization
            if self._credential.ca_file is not None:
                context = await asyncio.to_thread(_trusting, self._credential.ca_file)
        try:
            async with self._session.post(
                self._url, data=body, headers=headers, allow_redirects=False, ssl=context
            ) as answer:
                return answer.status
        except aiohttp.ClientSSLError:
            raise NotifyError(f"{self.where}: TLS failed: set ca_file if the certificate is your own") from None
        except (aiohttp.ClientConnectionError, aiohttp.InvalidURL):
            raise NotifyError(f"{self.where} cannot be reached: is it running, and is the address right?") from None
        except aiohttp.ClientError as error:
            raise NotifyError(f"{self.where} gives no HTTP answer that can be read ({type(error).__name__})") from None


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise NotifyError(f"cannot use the CA file {ca_file}: {error.strerror or 'no certificate in it'}") from None
