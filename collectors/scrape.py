"""One bounded HTTP GET of a metrics page: deadline, byte cap, no redirects, log-ins that never leave their origin."""

from __future__ import annotations

import asyncio
import base64
import enum
import errno
import os
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from collectors.labels import clean_label
from collectors.readings import boottime_ns

if TYPE_CHECKING:  # importing aiohttp costs 0.25 s, which `--version` and `export` must not pay
    import aiohttp

MAX_PAGE_BYTES = 8 * 2**20
DEADLINE_S = 5.0  # vLLM's page took 1.06 s under load on two cores


class Failure(enum.StrEnum):
    """Why there is no page."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    REDIRECT = "redirect"
    LOGIN = "login"
    NOT_FOUND = "not found"
    REFUSED = "refused"  # any other status
    TOO_LARGE = "too large"
    BAD_ANSWER = "bad answer"
    SETTING = "setting"  # the URL or the credential cannot be used; nothing was sent


class ScrapeError(Exception):
    """No page came. The text says what happened, where and what to do, and holds no secret."""

    def __init__(self, problem: str, failure: Failure) -> None:
        super().__init__(problem)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Origin:
    """What a credential is good for: scheme, host and port, all three."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of `url`. Raises ValueError unless it is http(s) with a host and without user or password."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError("only http and https URLs can be read")
        if not parts.hostname:
            raise ValueError("the URL names no host")
        if "@" in parts.netloc:
            raise ValueError("no user or password in a URL: name a password file or variable instead")
        return cls(parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))


@dataclass(frozen=True, slots=True)
class Credential:
    """How to log in to one origin, and whom to trust as it.

    The secret itself is read from `file` or from the environment variable named `env` at each use and kept nowhere.
    """

    origin: Origin
    login: Literal["none", "bearer", "basic"] = "none"
    username: str = ""  # basic only
    file: Path | None = None
    env: str | None = None
    ca_file: Path | None = None  # trust this CA instead of the system's

    def authorization(self) -> str | None:
        """The Authorization header. Raises ScrapeError, without the secret in it, when the secret cannot be used."""
        if self.login == "none":
            return None
        secret = self._secret()
        if not secret or not secret.isprintable() or not secret.isascii():
            problem = f"{self._place()} holds no usable secret: it must be one line of printable ASCII"
            raise ScrapeError(problem, Failure.SETTING)
        if self.login == "bearer":
            return f"Bearer {secret}"
        return "Basic " + base64.b64encode(f"{self.username}:{secret}".encode()).decode()

    def _secret(self) -> str:
        if self.file is None:
            return os.environ.get(self.env or "", "").strip()
        try:
            return self.file.read_bytes().decode("ascii", "replace").strip()
        except OSError as error:
            raise ScrapeError(f"cannot read {self._place()}: {error.strerror}", Failure.SETTING) from None

    def _place(self) -> str:
        return f"the secret file {self.file}" if self.file else f"the environment variable {self.env}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that came whole, with status 200."""

    body: bytes
    at_ns: int  # when its last byte arrived, CLOCK_BOOTTIME
    took_ms: int  # from the request to that
    content_type: str
    headers: dict[str, str]  # the kept ones that came, lower-case names


class Scraper:
    """Gets pages over one shared client with kept-alive connections. Use it from one event loop."""

    def __init__(
        self,
        credentials: Collection[Credential] = (),
        *,
        keep_headers: Collection[str] = (),
        deadline_s: float = DEADLINE_S,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        self._credentials = {credential.origin: credential for credential in credentials}
        self._keep_headers = {name.lower() for name in keep_headers}
        self._deadline_s = deadline_s
        self._now_ns = now_ns
        self._session: aiohttp.ClientSession | None = None
        self._trust: dict[Path, ssl.SSLContext] = {}

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
            async with asyncio.timeout(self._deadline_s), self._answer(url, origin, credential, where) as answer:
                _check(answer, where)
                body = await _body(answer, where)
        except TimeoutError:
            problem = f"{where} did not answer in full within {self._deadline_s:g} s: is it overloaded or stopped?"
            raise ScrapeError(problem, Failure.TIMEOUT) from None
        at_ns = self._now_ns()
        return Page(
            body=body,
            at_ns=at_ns,
            took_ms=(at_ns - started_ns) // 1_000_000,
            content_type=clean_label(answer.headers.get("Content-Type", "")),
            headers={name: clean_label(answer.headers[name]) for name in self._keep_headers if name in answer.headers},
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def _answer(
        self, url: str, origin: Origin, credential: Credential | None, where: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer's head, with aiohttp's errors as ours. Their texts are not used: they quote URLs and headers."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # ours covers the whole exchange
                trust_env=False,  # a proxy from the environment has no business between us and a port of this box
            )
        headers = {
            # Not OpenMetrics: its renderings of names with ':' contradict themselves.
            "Accept": "text/plain;version=0.0.4",
            # Over loopback, packing costs the server more than it saves.
            "Accept-Encoding": "identity" if origin.host in ("127.0.0.1", "::1", "localhost") else "gzip",
        }
        trust: ssl.SSLContext | bool = True
        if credential is not None:
            if authorization := await asyncio.to_thread(credential.authorization):
                headers["Authorization"] = authorization
            if credential.ca_file is not None:
                trust = await asyncio.to_thread(self._trusting, credential.ca_file)
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False, ssl=trust) as answer:
                yield answer
        except aiohttp.ClientSSLError as error:
            problem = f"{where}: TLS failed ({_tls_reason(error)}): set ca_file if the certificate is your own"
            raise ScrapeError(problem, Failure.TLS) from None
        except aiohttp.ClientConnectorError as error:
            is_nameless = isinstance(error, aiohttp.ClientConnectorDNSError)
            why = "name not known" if is_nameless else _no_connection(error.errno)
            problem = f"{where} cannot be reached ({why}): is the server running, and is the address right?"
            raise ScrapeError(problem, Failure.UNREACHABLE) from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise ScrapeError(f"{where} closed the connection without an answer", Failure.UNREACHABLE) from None
        except aiohttp.InvalidURL:
            raise ScrapeError("cannot read this URL: it is malformed", Failure.SETTING) from None
        except aiohttp.ClientError as error:
            problem = f"{where} gives no HTTP answer that can be read ({type(error).__name__}): is this the right port?"
            raise ScrapeError(problem, Failure.BAD_ANSWER) from None

    def _trusting(self, ca_file: Path) -> ssl.SSLContext:
        if ca_file not in self._trust:
            try:
                self._trust[ca_file] = ssl.create_default_context(cafile=ca_file)
            except OSError as error:  # ssl.SSLError is one
                problem = f"cannot use the CA file {ca_file}: {error.strerror or 'no certificate in it'}"
                raise ScrapeError(problem, Failure.SETTING) from None
        return self._trust[ca_file]


def _check(answer: aiohttp.ClientResponse, where: str) -> None:
    status = answer.status
    if status == 200:
        return
    if 300 <= status < 400:
        target = clean_label(answer.headers.get("Location", "").partition("?")[0], 100)
        raise ScrapeError(f"{where} redirects to {target}: name that URL itself if you trust it", Failure.REDIRECT)
    if status in (401, 403):
        todo = "name a token or password file for it under its [[servers]] or [[meters]] in the config"
        problem = f"{where} wants a log-in (HTTP {status}): {todo}"
        raise ScrapeError(problem, Failure.LOGIN)
    if status == 404:
        problem = f"{where} is not there (HTTP 404): metrics may be switched off or under another path"
        raise ScrapeError(problem, Failure.NOT_FOUND)
    raise ScrapeError(f"{where} answers HTTP {status}", Failure.REFUSED)


async def _body(answer: aiohttp.ClientResponse, where: str) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_chunked(2**20):  # unpacked bytes, so a gzip bomb is counted at full size
        size += len(chunk)
        if size > MAX_PAGE_BYTES:
            raise ScrapeError(f"{where} sends more than {MAX_PAGE_BYTES >> 20} MiB: not read", Failure.TOO_LARGE)
        chunks.append(chunk)
    return b"".join(chunks)  # most pages come in one piece, which is then not copied


def _no_connection(number: int | None) -> str:
    """Why in plain words; the error's own text is Python's: "Connect call failed ('127.0.0.1', 18999)"."""
    if number == errno.ECONNREFUSED:
        return "connection refused"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no route"
    return "no connection" if number is None else os.strerror(number).lower()


def _tls_reason(error: aiohttp.ClientSSLError) -> str:
    cause = error.__cause__
    reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
    return clean_label(reason, 80) or "handshake"
