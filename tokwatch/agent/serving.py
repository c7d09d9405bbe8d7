"""The agent's HTTP server: /metrics, /healthz and the push lane /report, read only.

Not aiohttp.web: that has no deadline for a request's head and no limit of connections, and a TLS handshake goes on
before its handlers know of it. What is asked for here is three pages by GET, so the server is this file: its own accept
loop counts a connection before anything is read of it, and every wait has an end.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from tokwatch.agent.board import Board
from tokwatch.agent.exposition import OPENMETRICS, TEXT
from tokwatch.agent.guarding import Hosts, Seats, Token
from tokwatch.agent.push import keep_telling
from tokwatch.agent.requests import HEAD_BYTES, Refusal, Request, parse, wants_openmetrics

HEAD_S: Final = 5.0  # for a TLS handshake, and then for each request's head
IDLE_S: Final = 75.0  # between requests; Prometheus asks once a minute at the most seldom
WRITE_S: Final = 10.0  # until an answer is taken

_NO_ACCEPT_S: Final = 1.0  # until the next try, when this process has no descriptors left
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: a refused connection leaves nothing behind in the kernel
_PLAIN: Final = "text/plain; charset=utf-8"
_ALWAYS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Server:
    """Answers on sockets that listen already, until closed. `tell` takes words for the user."""

    def __init__(
        self,
        board: Board,
        sockets: list[socket.socket],
        hosts: Hosts,
        *,
        token: Token | None = None,
        tls: ssl.SSLContext | None = None,
        seats: Seats | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._board, self._sockets, self._hosts = board, sockets, hosts
        self._token, self._tls, self._tell = token, tls, tell
        self.seats = seats or Seats()
        self._talking: set[asyncio.Task[None]] = set()
        self._accepting = [asyncio.create_task(self._accept(listening)) for listening in sockets]

    async def close(self) -> None:
        """Hang up on everybody."""
        tasks = [*self._accepting, *self._talking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listening in self._sockets:
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connected, address = await loop.sock_accept(listening)
            except OSError as error:
                self._tell(f"nobody can connect for now: {error.strerror}")
                await asyncio.sleep(_NO_ACCEPT_S)
                continue
            peer = _peer(address)
            if self.seats.take(peer):
                task = asyncio.create_task(self._serve(connected, peer))
                self._talking.add(task)
                task.add_done_callback(self._ended)
            else:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connected.close()
            await asyncio.sleep(0)  # a flood of connections waits for the recorder, not the recorder for it

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._talking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(f"a request could not be answered: {error!r}")

    async def _serve(self, connected: socket.socket, peer: str) -> None:
        """One connection from beginning to end; whatever the other side does wrong ends it."""
        transport: asyncio.Transport | None = None
        try:
            local = connected.getsockname()[0] if connected.family != socket.AF_UNIX else ""
            reader = asyncio.StreamReader(HEAD_BYTES)
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                connected,
                ssl=self._tls,
                ssl_handshake_timeout=HEAD_S if self._tls else None,
            )
            # drain() waits until the kernel has everything. Not 0: a TLS transport would never say so.
            transport.set_write_buffer_limits(high=1)
            if (limit := getattr(transport, "set_read_buffer_limits", None)) is not None:
                limit(high=2 * HEAD_BYTES)  # of TLS, which keeps 256 kB of every connection else
            writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
            await self._talk(reader, writer, local)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            # It left, or was too slow, or spoke no TLS: there is nobody to tell. A traceback and its futures hold each
            # other, and with them all of the connection, until the garbage collector comes: 24 MB in a flood.
            error.__traceback__ = None
        finally:
            if transport is None:
                connected.close()
            else:
                # The kernel has every answer. TLS's own goodbye would fail where a peer still sends, with an error that
                # holds all of the connection like those above.
                transport.abort()
            self.seats.leave(peer)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, local: str) -> None:
        """Request after request. Raises what ends a connection."""
        idle_s, keep_alive = HEAD_S, True
        while keep_alive:
            try:
                request = parse(await _head(reader, idle_s))
                self._admit(request, local)
                if request.path == b"/report" and request.method == b"GET":
                    writer.write(_response(200, "application/x-ndjson", None, keep_alive=False))
                    await keep_telling(self._board, reader, writer, write_s=WRITE_S)
                    return
                answer, keep_alive = self._answer(request), request.keep_alive
            except Refusal as refusal:
                answer = _response(
                    refusal.status, _PLAIN, f"{refusal.words}\n".encode(), refusal.headers, keep_alive=False
                )
                keep_alive = False
            writer.write(answer)
            async with asyncio.timeout(WRITE_S):
                await writer.drain()
            idle_s = IDLE_S
            await asyncio.sleep(0)  # requests that came all at once take turns with everything else

    def _admit(self, request: Request, local: str) -> None:
        """Raises Refusal."""
        host = request.headers.get(b"host")
        if host is None:
            raise Refusal(400, "a request names the host that it is for")
        if not self._hosts.has(host, local):
            raise Refusal(421, "this is not the host that the request is for; other names of it: [agent] hosts")
        if self._token is not None and not self._token.is_told_by(request.headers.get(b"authorization")):
            raise Refusal(401, "a token is needed", (("WWW-Authenticate", "Bearer"),))
        if request.method not in (b"GET", b"HEAD"):
            raise Refusal(405, "this only tells", (("Allow", "GET, HEAD"),))

    def _answer(self, request: Request) -> bytes:
        """Raises Refusal."""
        kind, status = _PLAIN, 200
        if request.path == b"/metrics":
            if self._board.notice is None:
                raise Refusal(503, "nothing has been counted yet")
            openmetrics = wants_openmetrics(request.headers.get(b"accept", b""))
            kind = OPENMETRICS if openmetrics else TEXT
            body = self._board.notice.page(openmetrics=openmetrics)
        elif request.path == b"/healthz":
            silence = self._board.silence()
            status, body = (503, f"{silence}\n".encode()) if silence else (200, b"ok\n")
        elif request.path == b"/report":
            return _response(200, "application/x-ndjson", None, keep_alive=False)
        else:
            raise Refusal(404, "here are /metrics, /healthz and /report")
        response = _response(status, kind, body, keep_alive=request.keep_alive)
        return response.removesuffix(body) if request.method == b"HEAD" else response


async def _head(reader: asyncio.StreamReader, idle_s: float) -> bytes:
    """The next request's head. Raises Refusal, TimeoutError, IncompleteReadError."""
    async with asyncio.timeout(idle_s):
        first = await reader.readexactly(1)
    try:
        async with asyncio.timeout(HEAD_S):
            return first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Refusal(431, f"a request's head has at most {HEAD_BYTES} bytes here") from None


def _response(
    status: int, kind: str, body: bytes | None, more: tuple[tuple[str, str], ...] = (), *, keep_alive: bool
) -> bytes:
    """body None: it follows, until the connection ends."""
    headers = [("Content-Type", kind), *_ALWAYS, *more, ("Connection", "keep-alive" if keep_alive else "close")]
    if body is not None:
        headers.append(("Content-Length", str(len(body))))
    told = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{told}\r\n".encode() + (body or b"")


def _peer(address: object) -> str:
    """Who shares a limit: an IPv4 address, an IPv6 network of one customer, or all users of a Unix socket."""
    if not isinstance(address, tuple):
        return "unix"
    ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and not ip.is_loopback:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
