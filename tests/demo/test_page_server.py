"""A simulated server answers over real HTTP on loopback, or hangs up as if it were not there."""

from __future__ import annotations

import pytest

from collectors.scrape import Scraper
from collectors.scrape_error import Failure, ScrapeError
from tokwatch.demo.page_server import PageServer
from tokwatch.demo.server_page import MetricsPage


async def test_the_page_of_the_moment_is_served_with_its_headers() -> None:
    bodies = iter([b"a 1\n", b"a 2\n"])
    server = await PageServer.start(lambda: MetricsPage(next(bodies), {"Process-Start-Time-Unix": "7"}))
    scraper = Scraper(keep_headers={"process-start-time-unix"})
    try:
        first = await scraper.get(f"http://{server.address}/metrics", configured=False)
        second = await scraper.get(f"http://{server.address}/metrics", configured=False)
    finally:
        await scraper.close()
        await server.close()
    assert (first.body, second.body) == (b"a 1\n", b"a 2\n")
    assert first.headers == {"process-start-time-unix": "7"}
    assert first.content_type == "text/plain; version=0.0.4; charset=utf-8"


async def test_a_server_that_is_down_cannot_be_reached() -> None:
    server = await PageServer.start(lambda: None)
    scraper = Scraper()
    try:
        with pytest.raises(ScrapeError) as caught:
            await scraper.get(f"http://{server.address}/metrics", configured=False)
    finally:
        await scraper.close()
        await server.close()
    assert caught.value.failure is Failure.UNREACHABLE


async def test_each_server_has_a_port_of_its_own_on_loopback() -> None:
    servers = [await PageServer.start(lambda: None) for _ in range(2)]
    addresses = {server.address for server in servers}
    for server in servers:
        await server.close()
    assert len(addresses) == 2
    assert all(address.startswith("127.0.0.1:") for address in addresses)
