"""What the agent's tests tell: Statements of a made-up box, and a server on a free port that tells them."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ledger.box import Box, priced, serve
from tokwatch.agent.board import Board
from tokwatch.agent.guarding import Hosts, Listening, Seats, Token
from tokwatch.agent.serving import Server
from tokwatch.agent.sockets import open_sockets
from tokwatch.ledger.fleet.report_of import Statement, Teller
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.view import View

TLS = Path(__file__).parents[1] / "collectors" / "tls"
TOKEN = b"correct-horse-battery-staple"
ANY_PORT = Listening("127.0.0.1", 0)


def statements(box: Box | None = None, usd_per_gpu_hour: float | None = 3.0) -> list[Statement]:
    """One a tick; of two GPUs that serve and a free one unless told otherwise."""
    box = box or serve(Box(), range(31), free=1)
    view = View(box.run, PriceBook(() if usd_per_gpu_hour is None else (priced(usd_per_gpu_hour),)))
    teller = Teller(box.run)
    told = []
    for record in box.records:
        view.apply(record)
        teller.take(record, view)
        told.append(teller.say(view))
    return told


class Talker:
    """A raw client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, path: str, *headers: str, method: str = "GET", host: str = "localhost") -> tuple[int, bytes]:
        """Status and body of one request."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
        self.writer.write("\r\n".join(lines).encode())
        return await self.answer(has_body=method != "HEAD")

    async def answer(self, *, has_body: bool = True) -> tuple[int, bytes]:
        self.head = await self.reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.partition(b":")[2]) for line in self.head.split(b"\r\n") if line.startswith(b"Content-Length:")),
            0,
        )
        return int(self.head[9:12]), await self.reader.readexactly(length if has_body else 0)

    async def is_closed(self) -> bool:
        """Wait for the end; whatever still comes is left out."""
        try:
            async with asyncio.timeout(10):
                while await self.reader.read(65536):
                    continue
        except ConnectionError:
            pass
        return True


class Told:
    """A server, its board, and clients that are closed with it."""

    def __init__(self, server: Server, board: Board, address: Listening) -> None:
        self.server, self.board, self.address = server, board, address
        self.url = f"http://{address}"
        self._talkers: list[Talker] = []

    async def connect(self, context: ssl.SSLContext | None = None, *, limit: int = 1 << 20) -> Talker:
        if self.address.unix is not None:
            streams = await asyncio.open_unix_connection(str(self.address.unix), limit=limit)
        else:
            streams = await asyncio.open_connection(*self.address[:2], ssl=context, limit=limit)
        self._talkers.append(Talker(*streams))
        return self._talkers[-1]

    def hang_up(self) -> None:
        for talker in self._talkers:
            talker.writer.transport.abort()


@asynccontextmanager
async def telling(
    told: list[Statement] | None = None,
    *,
    address: Listening = ANY_PORT,
    token: bytes | None = None,
    tls: ssl.SSLContext | None = None,
    hosts: tuple[str, ...] = (),
    seats: Seats | None = None,
    now_s: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Told]:
    """A server that has the last of these statements on its board."""
    sockets, address = open_sockets(address, address.places())
    board = Board(now_s)
    for statement in (told if told is not None else statements())[-1:]:
        board.put_up(statement)
    server = Server(
        board,
        sockets,
        Hosts.of(address, hosts),
        token=None if token is None else Token(token),
        tls=tls,
        seats=seats,
    )
    here = Told(server, board, address)
    try:
        yield here
    finally:
        here.hang_up()
        await server.close()


def tls_of_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    return context


async def until(holds: Callable[[], bool]) -> None:
    """Fails when it does not hold within seconds. Sockets have no event for it."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
