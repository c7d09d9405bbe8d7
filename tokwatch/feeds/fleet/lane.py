"""An agent's lane: one long connection to its /report, hellos and reports as they come.

Bounded in time and bytes, whatever is at the other end. A reader of thousands of agents opens one Lane each, on one
event loop, with one TLS context for all.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from collectors.credential import Credential, Origin
from collectors.labels import clean_label
from collectors.scrape_error import ScrapeError
from tokwatch.feeds.fleet.agent_lines import AgentLines, NotSpoken, WrongProtocol
from tokwatch.ledger.fleet.report import PROTOCOL, Hello, Report

OPEN_S: Final = 10.0  # for the connection, TLS, the request and the answer's head
SILENT_INTERVALS: Final = 5  # without a line, after which a lane is given up
LEAST_SILENCE_S: Final = 5.0
FIRST_SILENCE_S: Final = 15.0  # before the hello: an agent that begins has not ticked yet

_CHUNK: Final = 65_536
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_CLOSE_S: Final = 1.0
_TARGET: Final = re.compile(r"[!-~]+")
_HERE: Final = ("localhost", "127.0.0.1", "::1")


class LaneError(Exception):
    """A lane cannot be opened, or has ended; the message says what happened, where, and what to do."""


class Lane:
    """One open connection. `said` until it raises, then `close`."""

    def __init__(
        self, where: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, least_silence_s: float
    ) -> None:
        self.where = where
        self.bytes = 0  # that have come
        self._reader, self._writer = reader, writer
        self._lines = AgentLines()
        self._least_silence_s = least_silence_s
        self._silence_s = max(FIRST_SILENCE_S, least_silence_s)

    @classmethod
    async def open(
        cls,
        url: str,
        credential: Credential | None = None,
        context: ssl.SSLContext | None = None,
        *,
        least_silence_s: float = LEAST_SILENCE_S,
    ) -> Lane:
        """Connect and ask for the lane. Raises LaneError, whose words name the address and say what to do.

        context: of `trusting`, to be shared; made from the credential's CA where there is none.
        """
        where, origin, request = _asked(url)
        authorization = await _authorization(where, origin, credential)
        is_secure = origin.scheme == "https"
        if is_secure and context is None:
            context = await asyncio.to_thread(trusting, credential.ca_file if credential else None)
        try:
            async with asyncio.timeout(OPEN_S):
                reader, writer = await asyncio.open_connection(
                    origin.host, origin.port, ssl=context if is_secure else None
                )
                try:
                    writer.write(request + authorization + b"\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                except BaseException:
                    writer.transport.abort()
                    raise
        except ssl.SSLError as error:
            raise LaneError(f"{where}: {_tls_words(error)}") from None
        except TimeoutError:
            raise LaneError(f"{where} has not answered for {OPEN_S:.0f} s") from None
        except (asyncio.IncompleteReadError, ConnectionResetError):
            raise LaneError(f"{where} hung up: it has its most connections, or speaks TLS only") from None
        except asyncio.LimitOverrunError:
            raise LaneError(f"{where} answers, but is no tokwatch agent") from None
        except OSError as error:
            raise LaneError(f"cannot connect to {where}: {_os_words(error)}") from None
        if words := _refused(head):
            writer.transport.abort()
            raise LaneError(f"{where} {words}")
        return cls(where, reader, writer, least_silence_s)

    async def said(self) -> list[Hello | Report]:
        """What has come since the last call, waiting for something. Raises LaneError when the lane has ended."""
        said: list[Hello | Report] = []
        try:
            async with asyncio.timeout(self._silence_s):  # for a line: bytes that never end one are silence too
                while not said:
                    data = await self._reader.read(_CHUNK)
                    if not data:
                        raise LaneError(f"{self.where} ended the connection")
                    self.bytes += len(data)
                    said = self._lines.feed(data)
        except TimeoutError:
            raise LaneError(f"{self.where} has been silent for {self._silence_s:g} s") from None
        except OSError as error:
            raise LaneError(f"lost the connection to {self.where}: {_os_words(error)}") from None
        except WrongProtocol as error:
            other = f"tokwatch {error.version}, which speaks protocol {error.protocol}"
            words = f"{self.where} runs {other}; this one speaks {PROTOCOL}: bring both to one version"
            raise LaneError(words) from None
        except NotSpoken:
            raise LaneError(f"{self.where} answers, but is no tokwatch agent") from None
        for one in said:
            if isinstance(one, Hello):
                self._silence_s = max(self._least_silence_s, SILENT_INTERVALS * one.interval_s)
        return said

    async def close(self) -> None:
        """Hang up. Waits a second at most."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()  # it went first, or does not let go


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates and names are checked, by this CA alone where one is given. Raises LaneError."""
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError as error:
        raise LaneError(f"{ca_file} holds no usable CA certificate: {error.reason or error}") from None
    except OSError as error:
        raise LaneError(f"cannot read the CA file {ca_file}: {error.strerror}") from None


def _asked(url: str) -> tuple[str, Origin, bytes]:
    """Where to connect, in words and for the socket, and the request but for its log-in. Raises LaneError."""
    try:
        origin, parts = Origin.of(url), urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if not (_TARGET.fullmatch(target) and _TARGET.fullmatch(parts.netloc)):
            raise ValueError("it has characters that no URL has")
    except ValueError as error:
        shown = clean_label(url.partition("?")[0].rpartition("@")[2], 80)  # neither a password nor a key
        raise LaneError(f"{shown} is no agent's address ({error}): write https://HOST:PORT/report") from None
    return parts.netloc, origin, f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode("ascii")


async def _authorization(where: str, origin: Origin, credential: Credential | None) -> bytes:
    """The log-in's line; empty where there is none. Raises LaneError."""
    if credential is None or credential.login == "none":
        return b""
    if origin.scheme != "https" and origin.host not in _HERE:
        raise LaneError(f"{where}: its token would be sent unencrypted; write https:// before it")
    try:
        told = await asyncio.to_thread(credential.authorization)
    except ScrapeError as error:
        raise LaneError(f"{where}: {error}") from None
    return f"Authorization: {told}\r\n".encode("ascii")


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
