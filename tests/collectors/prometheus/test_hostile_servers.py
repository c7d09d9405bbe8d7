"""What is made of servers that are broken, hostile, something else or behind a proxy: one error, in plain words."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest
from aiohttp import web

from collectors.prometheus.client import PrometheusClient, QueryError
from collectors.prometheus.target import PrometheusTarget
from collectors.scrape_error import Failure
from tests.collectors.page_server import read_request, speaking
from tests.collectors.prometheus.answering import ONE, Handler, answers, asking

LOG_IN = "; name user and password_file, token_file, or a tenant's header under [prometheus]"
REFUSED = b'{"status":"error","errorType":"bad_data","error":"1:4: parse error"}'


async def failure(handler: Handler, max_reply_bytes: int = 2**20) -> QueryError:
    async with asking(handler, max_reply_bytes=max_reply_bytes) as client:
        with pytest.raises(QueryError) as raised:
            await client.instant("up")
        assert str(raised.value).startswith("127.0.0.1:")
        return raised.value


def words(error: QueryError) -> str:
    """What is said after the address."""
    return str(error).partition(" ")[2]


@pytest.mark.parametrize(
    ("handler", "kind", "told"),
    [
        (answers(REFUSED, 400), Failure.REFUSED, "refuses the query (HTTP 400: 1:4: parse error)"),
        (
            answers(b'{"status":"error","errorType":"422","error":"too many points"}', 422),
            Failure.REFUSED,
            "refuses the query (HTTP 422: too many points)",
        ),
        (
            answers(b"Unauthorized\n", 401),
            Failure.LOGIN,
            f"wants a log-in (HTTP 401: Unauthorized){LOG_IN}",
        ),
        (
            answers(b"no org id\n", 401),
            Failure.LOGIN,
            f"wants a log-in (HTTP 401: no org id){LOG_IN}",
        ),
        (
            answers(b"", 302, Location="http://evil.example/login?key=s3cret"),
            Failure.REDIRECT,
            "redirects to http://evil.example/login: name that URL itself if you trust it",
        ),
        (
            answers(b"404 page not found\n", 404),
            Failure.NOT_FOUND,
            "has no query API there (HTTP 404): is the path prefix right? Mimir's is /prometheus, "
            "a VictoriaMetrics cluster's /select/0/prometheus",
        ),
        (
            answers(b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", 502),
            Failure.REFUSED,
            "answers HTTP 502: 502 Bad Gateway; a proxy may stand before it with nothing behind",
        ),
        (
            answers(b"Client sent an HTTP request to an HTTPS server.\n", 400),
            Failure.REFUSED,
            "answers HTTP 400: Client sent an HTTP request to an HTTPS server.; is this a Prometheus?",
        ),
        (
            answers(b"<!doctype html><html><title>Sign in\x1b[2J</title>"),
            Failure.BAD_ANSWER,
            "answers with a web page (Sign in\ufffd[2J) instead of JSON: does a proxy's log-in stand before it?",
        ),
        (
            answers(b'{"status":"success","data":[]}'),
            Failure.BAD_ANSWER,
            "gives no reply that can be read (Expected `object`, got `array` - at `$.data`): is this a Prometheus?",
        ),
        (
            answers(b'{"status":"success","data":{"resultType":"matrix","result":[]}'),
            Failure.BAD_ANSWER,
            "gives no reply that can be read (Input data was truncated): is this a Prometheus?",
        ),
        (
            answers(ONE, Content_Encoding="br"),
            Failure.BAD_ANSWER,
            "gives no reply that can be read (content encoding br, which was not asked for): is this a Prometheus?",
        ),
        (
            answers(gzip.compress(ONE)[:-9], Content_Encoding="gzip"),
            Failure.BAD_ANSWER,
            "gives no reply that can be read (the gzip is cut off): is this a Prometheus?",
        ),
        (
            answers(ONE, Content_Encoding="gzip"),
            Failure.BAD_ANSWER,
            "gives no reply that can be read (the gzip is broken): is this a Prometheus?",
        ),
    ],
)
async def test_each_refusal_is_told_with_what_to_do(handler: Handler, kind: Failure, told: str) -> None:
    error = await failure(handler)
    assert (words(error), error.failure, error.retry_in_s) == (told, kind, None)


async def test_an_endless_reply_is_cut_at_the_limit() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b" " * 2**20)
        except ConnectionError:
            return answer

    error = await failure(endless, max_reply_bytes=4 * 2**20)
    assert words(error) == "sends more than 4 MiB: ask for fewer hosts or less time"
    assert error.failure is Failure.TOO_LARGE


async def test_a_gzip_bomb_is_counted_at_the_size_that_it_unpacks_to() -> None:
    packing = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packing.compress(b" " * 2**20) for _ in range(64)) + packing.flush()
    assert len(bomb) < 2**17
    error = await failure(answers(bomb, Content_Encoding="gzip"), max_reply_bytes=8 * 2**20)
    assert error.failure is Failure.TOO_LARGE


async def test_a_reply_that_drips_is_given_up_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.prometheus.transport._GRACE_S", 0.0)

    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with speaking(dripping) as url:
        client = PrometheusClient(PrometheusTarget(url, timeout_s=0.2))
        with pytest.raises(QueryError, match=r"did not answer in full within 0.2 s") as raised:
            await client.instant("up")
        await client.close()
    assert raised.value.failure is Failure.TIMEOUT


async def test_something_that_is_no_http_server_is_told_so() -> None:
    async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()

    async with speaking(greeting) as url:
        client = PrometheusClient(PrometheusTarget(url))
        with pytest.raises(QueryError, match=r"gives no HTTP answer|closed the connection"):
            await client.instant("up")
        await client.close()


async def test_a_cookie_is_not_kept() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Cookie"))
        return web.Response(body=ONE, headers={"Set-Cookie": "who=you"})

    async with asking(handler) as client:
        await client.instant("up")
        await client.instant("up")
    assert seen == [None, None]
