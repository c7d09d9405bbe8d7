"""Which pages are got without aiohttp, and what becomes of connections."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from collectors.plain_http import plain_target
from collectors.scrape import Scraper
from collectors.scrape_error import Failure, ScrapeError
from tests.collectors.page_server import read_request, speaking

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n"


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://box", "/"),
        ("http://BOX.example:8000/metrics", "/metrics"),
        ("http://[::1]:8000/prometheus/metrics?name=a&b=1", "/prometheus/metrics?name=a&b=1"),
        ("http://box?key=1", "/?key=1"),
    ],
)
def test_a_plain_url_is_sent_as_it_is(url: str, target: str) -> None:
    assert plain_target(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "https://box/",
        "http://box/a b",
        "http://box/a\r\nX-Injected: 1",
        "http://box/a\n",
        "http://box\r\nX-Injected: 1/",
        "http://box/é",
        "http://bóx/",
        "http://box/%0d%0a",
        "http://box/a/../b",
        "http://box/#part",
        "http://user@box/",
        "http://box:0/",
        "http://box..example/",
        f"http://{'a' * 64}/",
        "http://[fe80::1%25eth0]/",
    ],
)
def test_a_url_that_needs_escaping_or_normalising_is_not_plain(url: str) -> None:
    assert plain_target(url) is None


async def get(scraper: Scraper, base: str) -> bytes:
    return (await scraper.get(base, configured=False)).body


async def test_an_origin_with_an_unusual_answer_is_asked_by_aiohttp_from_then_on() -> None:
    agents: list[bool] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        agents.append(b"aiohttp" in await read_request(reader))
        writer.write(b"HTTP/1.0 200 OK\r\n\r\na 1\n")

    scraper = Scraper()
    async with speaking(old) as base:
        for _ in range(2):
            assert await get(scraper, base) == b"a 1\n"
        await scraper.close()
    assert agents == [False, True, True]


async def test_two_who_ask_at_once_have_connections_of_their_own_and_one_is_kept() -> None:
    connections = 0
    both = asyncio.Barrier(2)

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        await both.wait()
        writer.write(PAGE)
        while await read_request(reader):
            writer.write(PAGE)

    scraper = Scraper()
    async with speaking(wait) as base:
        assert set(await asyncio.gather(get(scraper, base), get(scraper, base))) == {b"a 1\n"}
        for _ in range(3):
            assert await get(scraper, base) == b"a 1\n"
        await scraper.close()
    assert connections == 2


async def test_what_comes_unasked_on_an_idle_connection_ends_it() -> None:
    connections = 0
    unasked, ended = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(PAGE)
        await unasked.wait()
        writer.write(PAGE.replace(b"a 1", b"b 2"))
        try:
            await reader.read()
        finally:
            ended.set()

    scraper = Scraper()
    async with speaking(talk) as base:
        assert await get(scraper, base) == b"a 1\n"
        unasked.set()
        await ended.wait()
        assert await get(scraper, base) == b"a 1\n"
        await scraper.close()
    assert connections == 2


@pytest.mark.parametrize("cut", range(1, len(PAGE)))
async def test_an_answer_that_is_cut_off_is_not_asked_for_again(cut: int) -> None:
    connections = 0

    async def cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await read_request(reader)
        writer.write(PAGE[:cut])

    scraper = Scraper()
    async with speaking(cut_off) as base:
        with pytest.raises(ScrapeError, match=r"can be read \(cut off\)") as raised:
            await get(scraper, base)
        await scraper.close()
    assert raised.value.failure is Failure.BAD_ANSWER
    assert connections == 1


def test_plain_pages_are_got_without_importing_aiohttp() -> None:
    code = """
import asyncio, sys
from collectors.scrape import Scraper

async def main():
    async def answer(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    scraper = Scraper()
    await scraper.get("http://127.0.0.1:%d/metrics" % server.sockets[0].getsockname()[1], configured=False)
    await scraper.close()
    server.close()

asyncio.run(main())
sys.exit("aiohttp" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
