"""One simulated server's metrics page over real HTTP, on a free loopback port."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Self

from aiohttp import web

from tokwatch.demo.server_page import MetricsPage


class PageServer:
    """Answers until closed. `page` gives the page of this instant; None hangs up, as if nobody listened."""

    def __init__(self, page: Callable[[], MetricsPage | None]) -> None:
        self._page = page
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        self.address = ""

    @classmethod
    async def start(cls, page: Callable[[], MetricsPage | None], listener: socket.socket | None = None) -> Self:
        """A server that answers at `address` ("127.0.0.1:port"), on a free port unless it is given a listener."""
        server = cls(page)
        await server._runner.setup()
        listener = listener or socket.create_server(("127.0.0.1", 0))
        await web.SockSite(server._runner, listener).start()
        server.address = f"127.0.0.1:{listener.getsockname()[1]}"
        return server

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        page = self._page()
        if page is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)  # goes nowhere: the connection is gone
        content_type = "text/plain; version=0.0.4; charset=utf-8"
        return web.Response(body=page.body, headers={"Content-Type": content_type, **page.headers})
