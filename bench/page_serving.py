"""A process that serves metrics pages on many ports: kept-alive connections, and other values each second."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized

NOT_THERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class _Answering(asyncio.Protocol):
    """One connection. Answers are rendered once, so that next to none of the machine goes into serving."""

    def __init__(self, answers: Sequence[bytes], served: Synchronized[int]) -> None:
        self._answers = answers
        self._served = served
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._asked = (self._asked + data).split(b"\r\n\r\n")
        for request in requests:
            if request.startswith(b"GET /metrics "):
                self._transport.write(self._answers[int(time.time()) % len(self._answers)])
                self._served.value += 1
            else:
                self._transport.write(NOT_THERE)


def serve(pages: Sequence[bytes], endpoints: int, core: int, ports: Connection, served: Synchronized[int]) -> None:
    """Serves on `endpoints` ports, which it sends to `ports`, and counts pages in `served`. Never returns."""
    os.sched_setaffinity(0, {core})
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
    answers = [head % len(page) + page for page in pages]

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(lambda: _Answering(answers, served), "127.0.0.1", 0) for _ in range(endpoints)
        ]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(listen())
