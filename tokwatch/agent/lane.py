"""The reading side of the push lane: one long connection to an agent, its hellos and reports as they come.

Bounded in time and bytes, whatever is at the other end. A reader of thousands of agents opens one Lane each, on one
event loop, with one TLS context for all.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from collectors.credential import Credential
from collectors.labels import clean_label
from collectors.scrape_error import ScrapeError
from tokwatch.agent import tls
from tokwatch.agent.errors import AgentError
from tokwatch.agent.guarding import DEFAULT_PORT, is_loopback
from tokwatch.feeds.fleet.agent_lines import AgentLines, NotSpoken, WrongProtocol
from tokwatch.ledger.fleet.report import PROTOCOL, Hello, Report

OPEN_S: Final = 10.0  # for the connection, TLS, the request and the answer's head
LEAST_SILENCE_S: Final = 15.0  # without a line, after which a lane is given up; longer where ticks are more seldom

_CHUNK: Final = 65_536
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_CLOSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent listens."""

    host: str  # "" for a Unix socket
    port: int
    secure: bool
    unix: str = ""

    @classmethod
    def of(cls, text: str) -> Address:
        """ "h12", "h12:9476", "http://h12:9476", "https://…" or "unix:PATH". Raises AgentError.

        A path is ignored: an agent has its own.
        """
        if text.startswith("unix:"):
            return cls("", 0, False, text.removeprefix("unix:"))
        try:
            parts = urlsplit(text if "://" in text else f"http://{text}")
            if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
                raise ValueError(text)
            return cls(parts.hostname, parts.port or DEFAULT_PORT, parts.scheme == "https")
        except ValueError:
            raise AgentError(f"{clean_label(text, 80)} is no agent's address: write https://HOST:PORT") from None

    def __str__(self) -> str:
        if self.unix:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Lane:
    """One open connection. `said` until it raises, then `close`."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.address = address
        self._reader, self._writer = reader, writer
        self._lines = AgentLines()
        self._silence_s = LEAST_SILENCE_S

    @classmethod
    async def open(
        cls, address: Address, credential: Credential | None = None, context: ssl.SSLContext | None = None
    ) -> Lane:
        """Connect and ask for the lane. Raises AgentError, whose words name the address and say what to do.

        context: of `tls.reading`, to be shared; made from the credential's CA where there is none.
        """
        authorization = _authorization(address, credential)
        if address.secure and context is None:
            context = tls.reading(credential.ca_file if credential else None)
        try:
            async with asyncio.timeout(OPEN_S):
                reader, writer = await _connect(address, context)
                try:
                    writer.write(_request(address, authorization))
                    head = await reader.readuntil(b"\r\n\r\n")
                except BaseException:
                    writer.transport.abort()
                    raise
        except ssl.SSLError as error:
            raise AgentError(f"{address}: {_tls_words(error)}") from None
        except TimeoutError:
            raise AgentError(f"{address} has not answered for {OPEN_S:.0f} s") from None
        except (asyncio.IncompleteReadError, ConnectionResetError):
            raise AgentError(f"{address} hung up: it has its most connections, or speaks TLS only") from None
        except asyncio.LimitOverrunError:
            raise AgentError(f"{address} answers, but is no tokwatch agent") from None
        except OSError as error:
            raise AgentError(f"cannot connect to {address}: {_os_words(error)}") from None
        if words := _refused(head):
            writer.transport.abort()
            raise AgentError(f"{address} {words}")
        return cls(address, reader, writer)

    async def said(self) -> list[Hello | Report]:
        """What has come since the last call, waiting for something. Raises AgentError when the lane has ended."""
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    data = await self._reader.read(_CHUNK)
                if not data:
                    raise AgentError(f"{self.address} ended the connection")
                said = self._lines.feed(data)
            except TimeoutError:
                raise AgentError(f"{self.address} has been silent for {self._silence_s:.0f} s") from None
            except OSError as error:
                raise AgentError(f"lost the connection to {self.address}: {_os_words(error)}") from None
            except WrongProtocol as error:
                other = f"tokwatch {error.version}, which speaks protocol {error.protocol}"
                words = f"{self.address} runs {other}; this one speaks {PROTOCOL}: bring both to one version"
                raise AgentError(words) from None
            except NotSpoken:
                raise AgentError(f"{self.address} answers, but is no tokwatch agent") from None
            for one in said:
                if isinstance(one, Hello):
                    self._silence_s = max(LEAST_SILENCE_S, 3 * one.interval_s)
            if said:
                return said

    async def close(self) -> None:
        """Hang up. Waits a second at most."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()  # it went first, or does not let go


async def _connect(
    address: Address, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.unix:
        return await asyncio.open_unix_connection(address.unix)
    return await asyncio.open_connection(address.host, address.port, ssl=context if address.secure else None)


def _request(address: Address, authorization: str | None) -> bytes:
    told = "" if authorization is None else f"Authorization: {authorization}\r\n"
    host = "localhost" if address.unix else str(address)
    return f"GET /report HTTP/1.1\r\nHost: {host}\r\n{told}\r\n".encode("ascii", "replace")


def _authorization(address: Address, credential: Credential | None) -> str | None:
    if credential is None or credential.login == "none":
        return None
    if not (address.secure or address.unix or address.host == "localhost" or is_loopback(address.host)):
        raise AgentError(f"{address}: its token would be sent unencrypted; write https:// before it")
    try:
        return credential.authorization()
    except ScrapeError as error:
        raise AgentError(f"{address}: {error}") from None


def _refused(head: bytes) -> str:
    """Why the answer is no lane; "" if it is one."""
    status = _STATUS.match(head)
    match int(status[1]) if status else 0:
        case 200 if b"application/x-ndjson" in head:
            return ""
        case 401:
            return "needs a token, and was told none or a wrong one: name its file with token_file"
        case 421:
            return "does not go by this name: add it to [agent] hosts there"
        case 503:
            return "has counted nothing yet"
    return "answers, but is no tokwatch agent"


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {clean_label(error.verify_message)}; name its CA with ca_file"
    return f"no TLS is spoken there: {clean_label(error.reason or str(error))}"


def _os_words(error: OSError) -> str:
    words = clean_label(error.strerror or str(error), 120)
    return f"{words}: does `tokwatch agent --listen` run there?" if isinstance(error, ConnectionRefusedError) else words
