"""Requests to a query API by aiohttp: kept-alive connections, a deadline, a byte cap, no redirects. Bytes in and out.

Import it only where it is needed: aiohttp takes 0.25 s and 12 MB.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from collectors.labels import clean_label
from collectors.prometheus.query_error import QueryError, too_large
from collectors.prometheus.reply import RawReply
from collectors.prometheus.target import PrometheusTarget
from collectors.scrape_error import Failure, ScrapeError, bad_answer, no_answer, unreachable

_CONNECT_S: Final = 5.0  # a host that is off answers nothing at all: no need to wait the whole deadline for it
_GRACE_S: Final = 2.0  # so that the server's own word that a query took too long comes first


class Transport:
    """One aiohttp client. Use it from one event loop."""

    def __init__(self, target: PrometheusTarget) -> None:
        self._target = target
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=target.max_at_once),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            auto_decompress=False,  # unpacked in the thread that decodes, where both sizes are counted
            trust_env=False,
        )
        self._trust: tuple[object, ssl.SSLContext] | None = None

    async def send(self, method: str, path: str, form: Mapping[str, str] | list[tuple[str, str]]) -> RawReply:
        """`form` as the body of a POST or the query of a GET. Raises QueryError; any status is a reply."""
        where = self._target.where
        deadline_s = self._target.timeout_s + _GRACE_S
        try:
            async with asyncio.timeout(deadline_s):
                return await self._send(method, path, form)
        except aiohttp.ServerTimeoutError:  # a TimeoutError too
            problem = f"{where} cannot be reached (nothing answers within {_CONNECT_S:g} s): is the address right?"
            raise QueryError(problem, Failure.UNREACHABLE) from None
        except TimeoutError:
            problem = f"{where} did not answer in full within {deadline_s:g} s: ask for less, or set timeout_s"
            raise QueryError(problem, Failure.TIMEOUT) from None
        except ScrapeError as error:  # of the log-in
            raise QueryError(str(error), error.failure) from None
        except aiohttp.ClientSSLError as error:
            problem = f"{where}: TLS failed ({_tls_reason(error)}): set ca_file if the certificate is your own"
            raise QueryError(problem, Failure.TLS) from None
        except aiohttp.ClientConnectorError as error:
            raise _as_ours(unreachable(where, error.os_error)) from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            raise _as_ours(no_answer(where)) from None
        except aiohttp.ClientError as error:
            raise _as_ours(bad_answer(where, type(error).__name__)) from None

    async def close(self) -> None:
        await self._session.close()

    async def _send(self, method: str, path: str, form: Mapping[str, str] | list[tuple[str, str]]) -> RawReply:
        headers, trust = await asyncio.to_thread(self._headers_and_trust)
        started_s = time.monotonic()
        in_url, in_body = (form, None) if method == "GET" else (None, form)
        url = self._target.url + path
        async with self._session.request(
            method, url, params=in_url, data=in_body, headers=headers, allow_redirects=False, ssl=trust
        ) as answer:
            body = await _body(answer, self._target)
            told = {name.lower(): answer.headers[name] for name in answer.headers}
            return RawReply(answer.status, told, body, time.monotonic() - started_s)

    def _headers_and_trust(self) -> tuple[dict[str, str], ssl.SSLContext | bool]:
        """Files are read here, at each request. Raises QueryError and ScrapeError."""
        target = self._target
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **target.headers}
        headers |= {name: _header_of(file) for name, file in target.header_files.items()}
        if target.credential is not None and (authorization := target.credential.authorization()):
            headers["Authorization"] = authorization
        return headers, self._tls() if target.url.startswith("https:") else True

    def _tls(self) -> ssl.SSLContext:
        """Whom we trust and who we are; made anew when a file changes, which makes new connections too."""
        target = self._target
        ca_file = target.credential.ca_file if target.credential else None
        key = tuple(_changed_ns(file) for file in (ca_file, target.cert_file, target.key_file))
        if self._trust is None or self._trust[0] != key:
            self._trust = key, _context(ca_file, target)
        return self._trust[1]


async def _body(answer: aiohttp.ClientResponse, target: PrometheusTarget) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.content.iter_chunked(2**20):
        size += len(chunk)
        if size > target.max_reply_bytes:
            raise too_large(target.where, target.max_reply_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _header_of(file: Path) -> str:
    try:
        value = file.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise QueryError(f"cannot read the header file {file}: {error.strerror}", Failure.SETTING) from None
    if not value or not value.isprintable() or not value.isascii():
        problem = f"the header file {file} holds no usable value: it must be one line of printable ASCII"
        raise QueryError(problem, Failure.SETTING)
    return value


def _changed_ns(file: Path | None) -> tuple[Path, int] | None:
    """None also for a file that is not there: using it says so."""
    try:
        return None if file is None else (file, file.stat().st_mtime_ns)
    except OSError:
        return None


def _context(ca_file: Path | None, target: PrometheusTarget) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        problem = f"cannot use the CA file {ca_file}: {error.strerror or 'no certificate in it'}"
        raise QueryError(problem, Failure.SETTING) from None
    if target.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if target.cert_file is not None:
        try:
            context.load_cert_chain(target.cert_file, target.key_file, password=_no_passphrase)
        except OSError as error:
            files = f"{target.cert_file}" + (f" and {target.key_file}" if target.key_file else "")
            problem = f"cannot log in with {files}: {_certificate_problem(error)}"
            raise QueryError(problem, Failure.SETTING) from None
    return context


def _no_passphrase() -> str:
    """Else OpenSSL would ask for one at the terminal."""
    return ""


def _certificate_problem(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "no certificate with its own key, without a passphrase, is in it"
    return error.strerror or "it cannot be read"


def _tls_reason(error: aiohttp.ClientSSLError) -> str:
    cause = error.__cause__
    reason = cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else ""
    return clean_label(reason, 80) or "handshake"


def _as_ours(error: ScrapeError) -> QueryError:
    return QueryError(str(error), error.failure)
