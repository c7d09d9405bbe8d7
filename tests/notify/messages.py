"""Messages as the tests make them up, and a receiver of posts on loopback."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from aiohttp.test_utils import TestServer

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.snapshot import AlertRow
from tokwatch.notify.message import Message

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC


def alert(**changes: Any) -> AlertRow:
    """A parked GPU that has been told of for five minutes."""
    told: dict[str, Any] = {
        "key": "parked",
        "state": "parked",
        "severity": "warning",
        "status": "firing",
        "since_ms": NOON_MS - 600_000,
        "fired_ms": NOON_MS - 300_000,
        "gpus": (3, 5),
        "text": "loaded, no request",
        "usd_so_far": Figure(0.7833),
        "usd_per_day": Figure(112.8),
        "usd_per_hour": Figure(4.7),
        "models": ("org/Qwen3-32B",),
    }
    return AlertRow(**(told | changes))


def message(status: Literal["firing", "resolved"] = "firing", *, at_ms: int = NOON_MS, **changes: Any) -> Message:
    return Message(status, "dgx-03", "USD", at_ms, alert(status=status, **changes))


@dataclass
class Received:
    """What a receiver was sent, and what it answers."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    bodies: list[Any] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)


@asynccontextmanager
async def receiver(received: Received, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The base URL of a server that keeps every post."""

    async def answer(request: web.Request) -> web.Response:
        received.requests.append(request)
        received.bodies.append(await request.json())
        return web.Response(status=received.status, headers=received.headers)

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    server = TestServer(app, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()
