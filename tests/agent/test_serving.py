"""The server on real sockets: what it answers, over TCP, TLS and a Unix socket."""

from __future__ import annotations

import asyncio
import ssl
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tests.agent.saying import TLS, statements, telling, tls_of_server, until
from tokwatch.agent import serving
from tokwatch.agent.exposition import OPENMETRICS, TEXT
from tokwatch.agent.guarding import Listening
from tokwatch.ledger.fleet.report import Hello, Report

SAID = statements()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short deadlines: nobody waits for them here."""
    for name in ("HEAD_S", "IDLE_S", "WRITE_S"):
        monkeypatch.setattr(serving, name, 0.4)


async def test_the_page_comes_as_text_and_as_openmetrics_where_that_is_asked_for() -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        status, page = await talker.ask("/metrics")
        assert (status, TEXT.encode() in talker.head) == (200, True)
        assert b"tokwatch_gpu_power_watts" in page
        status, page = await talker.ask("/metrics", "Accept: application/openmetrics-text; version=1.0.0")
        assert (status, OPENMETRICS.encode() in talker.head, page.endswith(b"# EOF\n")) == (200, True, True)


async def test_one_page_is_made_a_tick_however_many_ask() -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        _, first = await talker.ask("/metrics")
        _, second = await (await told.connect()).ask("/metrics")
        assert first == second, "also the process's own cost"
        told.board.put_up(SAID[-1])
        assert await talker.ask("/metrics") != (200, first)


async def test_before_the_first_tick_there_is_no_page() -> None:
    async with telling([]) as told:
        assert await (await told.connect()).ask("/metrics") == (503, b"nothing has been counted yet\n")


async def test_its_health_is_that_of_the_recorder() -> None:
    now_s = 0.0
    async with telling(SAID, now_s=lambda: now_s) as told:
        talker = await told.connect()
        assert await talker.ask("/healthz") == (200, b"ok\n")
        now_s = 60.0
        assert await talker.ask("/healthz") == (503, b"no tick for 60 s: the recorder's own messages say why\n")


async def test_no_answer_lets_a_web_page_read_or_keep_it() -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        for path in ("/metrics", "/healthz"):
            await talker.ask(path, "Origin: https://evil.example")
            assert b"Access-Control" not in talker.head
            assert b"Cache-Control: no-store\r\n" in talker.head
            assert b"X-Content-Type-Options: nosniff\r\n" in talker.head


async def test_a_head_has_the_length_of_the_page_and_no_page() -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        assert await talker.ask("/healthz", method="HEAD") == (200, b"")
        assert b"Content-Length: 3\r\n" in talker.head
        assert await talker.ask("/healthz") == (200, b"ok\n"), "nothing was left over"


async def test_the_push_lane_tells_the_hello_once_and_a_report_a_tick() -> None:
    async with telling(SAID[:1]) as told:
        talker = await told.connect()
        assert (await talker.ask("/report"))[0] == 200
        lines = [await talker.reader.readline() for _ in range(2)]
        for statement in SAID[1:3]:
            told.board.put_up(statement)
            lines.append(await talker.reader.readline())
        assert msgspec.json.decode(lines[0], type=Hello) == SAID[0].hello
        hellos = [line for line in lines if line.startswith(b"{")]
        reports = [msgspec.json.decode(line, type=Report) for line in lines if line.startswith(b"[")]
        assert reports[0] == SAID[0].report
        assert reports[-1] == SAID[2].report
        assert len(hellos) == 1 + sum(a.hello != b.hello for a, b in pairwise(SAID[:3]))


async def test_a_reader_that_leaves_the_lane_gives_its_seat_back() -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        await talker.ask("/report")
        assert told.server.seats.taken == 1
        talker.writer.close()
        await until(lambda: told.server.seats.taken == 0)


async def test_a_unix_socket_is_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "agent.sock"
    async with telling(SAID, address=Listening("", 0, path)) as told:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert await (await told.connect()).ask("/healthz") == (200, b"ok\n")


async def test_over_tls_pages_and_lanes_go_on_like_without() -> None:
    trusting = ssl.create_default_context(cafile=str(TLS / "server.pem"))
    trusting.check_hostname = False
    async with telling(SAID, tls=tls_of_server()) as told:
        talker = await told.connect(trusting)
        for _ in range(3):
            assert (await talker.ask("/metrics"))[0] == 200
        await talker.ask("/report")
        for number in range(4):
            while not (await talker.reader.readline()).startswith(b"["):
                continue
            await asyncio.sleep(0.15)  # together longer than a line may take to be written
            told.board.put_up(SAID[number])
