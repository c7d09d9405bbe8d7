"""Attacks on real sockets: each is refused, closed and forgotten, and nobody else notices."""

from __future__ import annotations

import asyncio
import resource
import ssl
import time

import pytest

from tests.agent.saying import TLS, TOKEN, statements, telling, tls_of_server, until
from tokwatch.agent import serving
from tokwatch.agent.guarding import Seats

BEARER = f"Authorization: Bearer {TOKEN.decode()}"
SAID = statements()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short deadlines: nobody waits for them here."""
    for name in ("HEAD_S", "IDLE_S", "WRITE_S"):
        monkeypatch.setattr(serving, name, 0.4)


@pytest.mark.parametrize(
    "headers", [[], ["Authorization: Bearer wrong-horse-battery-staple"], ["Authorization: Basic YTpi"]]
)
async def test_without_the_token_every_path_answers_the_same(headers: list[str]) -> None:
    async with telling(SAID, token=TOKEN) as told:
        answers = []
        for path in ("/metrics", "/report", "/healthz", "/nothing"):
            talker = await told.connect()
            answers.append(await talker.ask(path, *headers))
            assert b"WWW-Authenticate: Bearer\r\n" in talker.head
            assert await talker.is_closed()
        assert set(answers) == {(401, b"a token is needed\n")}
        assert (await (await told.connect()).ask("/healthz", BEARER))[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.0.2.1:9476", ""])
async def test_a_foreign_host_is_refused_before_its_token_is_looked_at(host: str) -> None:
    async with telling(SAID, token=TOKEN) as told:
        talker = await told.connect()
        assert (await talker.ask("/metrics", BEARER, host=host))[0] == 421
        assert await talker.is_closed()


async def test_a_name_of_the_config_is_no_foreign_one() -> None:
    async with telling(SAID, hosts=("gpu-07",)) as told:
        assert (await (await told.connect()).ask("/healthz", host="gpu-07:9476"))[0] == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"OPTIONS /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /metrics/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"PUT /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n", 413),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
        (b"GET /metrics HTTP/1.1\r\n" + b"X-Much: yes\r\n" * 800 + b"\r\n", 431),
    ],
)
async def test_what_it_has_not_or_takes_not_is_refused_and_closed(request_bytes: bytes, status: int) -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        talker.writer.write(request_bytes)
        assert (await talker.answer())[0] == status
        assert await talker.is_closed()


@pytest.mark.parametrize("begun", [b"", b"GET /metrics HTTP/1.1\r\nX-Slow: "])
async def test_a_head_that_never_ends_is_given_up(begun: bytes) -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        talker.writer.write(begun)

        async def dribble() -> None:
            while begun:
                talker.writer.write(b"a")
                await asyncio.sleep(0.02)

        dribbling = asyncio.create_task(dribble())
        began_s = time.monotonic()
        assert await talker.is_closed()
        dribbling.cancel()
        assert time.monotonic() - began_s < 3
        await until(lambda: told.server.seats.taken == 0)


async def test_an_idle_connection_is_closed() -> None:
    async with telling(SAID) as told:
        talker = await told.connect()
        assert (await talker.ask("/healthz"))[0] == 200
        assert await talker.is_closed()


async def test_pipelined_requests_are_answered_in_turn_and_let_others_in() -> None:
    async with telling(SAID) as told:
        talker, other = await told.connect(), await told.connect()
        talker.writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
        answered_before_the_last = await other.ask("/healthz")
        assert [await talker.answer() for _ in range(200)] == [(200, b"ok\n")] * 200
        assert answered_before_the_last == (200, b"ok\n")


async def test_whoever_never_reads_is_given_up() -> None:
    async with telling(SAID) as told:
        greedy = await told.connect(limit=1)
        greedy.writer.transport.pause_reading()  # type: ignore[attr-defined]
        greedy.writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000)
        await until(lambda: told.server.seats.taken == 1)
        await until(lambda: told.server.seats.taken == 0)


async def test_a_lane_that_is_not_read_is_given_up_and_lines_do_not_pile_up() -> None:
    async with telling(SAID) as told:
        talker = await told.connect(limit=1)
        talker.writer.write(b"GET /report HTTP/1.1\r\nHost: localhost\r\n\r\n")
        talker.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: told.server.seats.taken == 1)
        started_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(20_000):
            told.board.put_up(SAID[number % 2])
            await asyncio.sleep(0)
            if not told.server.seats.taken:
                break
        await until(lambda: told.server.seats.taken == 0)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - started_kib < 8 * 1024


async def test_connections_beyond_a_peers_share_are_closed_at_once() -> None:
    async with telling(SAID, seats=Seats(8, 4)) as told:
        kept = [await told.connect() for _ in range(4)]
        assert [await talker.ask("/healthz") for talker in kept] == [(200, b"ok\n")] * 4
        for _ in range(20):
            assert await (await told.connect()).is_closed()
        assert (told.server.seats.taken, told.server.seats.refused) == (4, 20)


async def test_what_speaks_no_tls_holds_no_seat_for_long() -> None:
    async with telling(SAID, tls=tls_of_server()) as told:
        for begun in (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01", b""):
            talker = await told.connect()
            talker.writer.write(begun)
            assert await talker.is_closed()
        await until(lambda: told.server.seats.taken == 0)
        trusting = ssl.create_default_context(cafile=str(TLS / "server.pem"))
        trusting.check_hostname = False
        assert (await (await told.connect(trusting)).ask("/healthz"))[0] == 200


async def test_a_recorder_in_the_same_loop_ticks_on_under_a_flood() -> None:
    late_s: list[float] = []

    async def tick() -> None:
        while True:
            due_s = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            late_s.append(time.monotonic() - due_s)

    async with telling(SAID) as told:
        ticking = asyncio.create_task(tick())

        async def flood() -> None:
            for _ in range(10):
                talker = await told.connect()
                try:
                    await talker.ask("/metrics")
                except (asyncio.IncompleteReadError, ConnectionError):
                    continue  # refused: there were too many

        await asyncio.gather(*(flood() for _ in range(40)))
        ticking.cancel()
        assert told.server.seats.taken <= 16
    assert sorted(late_s)[len(late_s) // 2] < 0.1
