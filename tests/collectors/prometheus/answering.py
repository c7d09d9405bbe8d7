"""Replies as a query API writes them, and a server on loopback that gives every request to a test's handler."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.target import PrometheusTarget

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Series = tuple[Mapping[str, str], str]


def reply(kind: str, result: object, **more: Any) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


def vector_reply(series: Sequence[Series], at_s: float = 1_760_000_000.0, **more: Any) -> bytes:
    return reply("vector", [{"metric": dict(labels), "value": [at_s, value]} for labels, value in series], **more)


ONE = vector_reply([({"host": "a"}, "1")])


class Clock:
    """Turned by hand."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


@asynccontextmanager
async def asking(
    handler: Handler, clock: Clock | None = None, prefix: str = "", **settings: Any
) -> AsyncIterator[PrometheusClient]:
    """A client of a server that answers every path as `handler` does. settings: of the target."""
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("")).rstrip("/") + prefix
    client = PrometheusClient(PrometheusTarget(url, **settings), now_s=clock or Clock())
    try:
        yield client
    finally:
        await client.close()
        await server.close()


def answers(body: bytes, status: int = 200, **headers: str) -> Handler:
    """Always the same."""

    async def handler(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(body=body, status=status, headers={"Content-Type": "application/json", **named})

    return handler
