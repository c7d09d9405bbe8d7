"""How a server is asked: what is sent, how much at once, and how a busy one is left alone."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest
from aiohttp import web

from collectors.credential import Credential, Origin
from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.client import PrometheusClient, QueryError
from collectors.prometheus.target import PrometheusTarget
from collectors.scrape_error import Failure
from tests.collectors.prometheus.answering import ONE, Clock, answers, asking, reply, vector_reply

MATRIX = reply("matrix", [{"metric": {"host": "a"}, "values": [[1, "2"], [2, "NaN"]]}])


def test_the_client_is_what_the_readers_of_a_prometheus_ask() -> None:
    api: PrometheusApi = PrometheusClient(PrometheusTarget("http://127.0.0.1:9090/prom/"))
    assert api.url == "http://127.0.0.1:9090/prom"


async def test_a_query_is_a_posted_form_that_may_be_packed_and_tells_its_time_limit() -> None:
    seen: dict[str, object] = {}

    async def handler(request: web.Request) -> web.Response:
        form = await request.post()
        seen.update(form, path=request.path, method=request.method, packing=request.headers["Accept-Encoding"])
        return web.Response(body=ONE)

    async with asking(handler, prefix="/select/0/prometheus", timeout_s=12.5, headers={"X-Scope-OrgID": "a"}) as client:
        assert (await client.instant("up", 17.25)).values == (1.0,)
    assert seen == {
        "query": "up",
        "time": "17.250",
        "timeout": "12500ms",
        "path": "/select/0/prometheus/api/v1/query",
        "method": "POST",
        "packing": "gzip",
    }


async def test_without_an_instant_the_servers_own_clock_decides() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(dict(await request.post()))
        return web.Response(body=ONE)

    async with asking(handler) as client:
        assert (await client.instant("up")).at_s == 1_760_000_000.0
    assert "time" not in seen[0]


async def test_ranges_and_raw_samples_are_matrices() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.path, dict(await request.post())))
        return web.Response(body=MATRIX)

    async with asking(handler) as client:
        ranged = await client.range("up", 0.5, 60.0, 15.0)
        raw = await client.samples("up[5m]", 60.0)
    assert ranged.times_s == raw.times_s == ((1.0, 2.0),)
    assert raw.labels[0] is ranged.labels[0]
    assert seen == [
        (
            "/api/v1/query_range",
            {"query": "up", "start": "0.500", "end": "60.000", "step": "15.000", "timeout": "30000ms"},
        ),
        ("/api/v1/query", {"query": "up[5m]", "time": "60.000", "timeout": "30000ms"}),
    ]


async def test_label_values_are_got_for_the_series_that_match() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.path, request.query.getall("match[]"), request.query["start"]))
        return web.json_response({"status": "success", "data": ["a", "b\x1b[2J"]})

    async with asking(handler) as client:
        assert await client.label_values("__name__", ["up", '{job="x"}'], start_s=5) == ("a", "b\ufffd[2J")
        with pytest.raises(ValueError, match="label name"):
            await client.label_values("../../admin")
    assert seen == [("GET", "/api/v1/label/__name__/values", ["up", '{job="x"}'], "5.000")]


async def test_bytes_are_told_as_they_came_over_the_wire() -> None:
    body = vector_reply([({"host": f"h{i}"}, "1") for i in range(3000)])
    packed = gzip.compress(body)
    async with asking(answers(packed, Content_Encoding="gzip")) as client:
        answer = await client.instant("up")
    assert len(answer.labels) == 3000
    assert answer.bytes == len(packed) < len(body) / 5


async def test_warnings_of_partial_answers_come_along_cleaned() -> None:
    body = vector_reply([({}, "1")], warnings=["store b\x1b[2J does not answer"])
    async with asking(answers(body)) as client:
        assert (await client.instant("up")).warnings == ("store b\ufffd[2J does not answer",)


async def test_a_victoriametrics_cluster_says_partial_in_its_own_way() -> None:
    async with asking(answers(vector_reply([({}, "1")], isPartial=True))) as client:
        (warning,) = (await client.instant("up")).warnings
    assert "partial" in warning


async def test_three_queries_run_at_once_and_the_others_wait() -> None:
    inside, most, go = 0, 0, asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == 3:
            go.set()
        await go.wait()
        inside -= 1
        return web.Response(body=ONE)

    async with asking(handler) as client:
        await asyncio.gather(*(client.instant("up") for _ in range(10)))
    assert most == 3


async def test_a_busy_server_is_left_alone_as_long_as_it_asks_for() -> None:
    asked = 0
    busy = True

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=503, headers={"Retry-After": "7"}) if busy else web.Response(body=ONE)

    clock = Clock()
    async with asking(handler, clock) as client:
        with pytest.raises(QueryError, match=r"too busy \(HTTP 503\): it is asked again in 7 s") as first:
            await client.instant("up")
        assert first.value.retry_in_s == 7
        clock.at_s += 3
        with pytest.raises(QueryError, match="asked again in 4 s") as second:
            await client.instant("up")
        assert (second.value.retry_in_s, asked) == (4, 1)
        clock.at_s += 4
        busy = False
        assert (await client.instant("up")).values == (1.0,)


@pytest.mark.parametrize(
    ("told", "waits"), [("86400", 60), ("0", 1), ("soon", 1), ("Wed, 21 Oct 2015 07:28:00 GMT", 1)]
)
async def test_what_a_busy_server_asks_for_is_bounded(told: str, waits: float) -> None:
    async with asking(answers(b"", 429, Retry_After=told)) as client:
        with pytest.raises(QueryError) as raised:
            await client.instant("up")
    assert raised.value.retry_in_s == waits


async def test_without_a_word_from_it_the_waits_double_until_it_answers() -> None:
    status = 503

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, body=ONE)

    async def wait() -> float | None:
        with pytest.raises(QueryError) as raised:
            await client.instant("up")
        clock.at_s += raised.value.retry_in_s or 0
        return raised.value.retry_in_s

    clock = Clock()
    async with asking(handler, clock) as client:
        assert [await wait() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
        status = 200
        await client.instant("up")
        status = 503
        assert await wait() == 1


async def test_queries_that_are_refused_together_are_one_refusal() -> None:
    all_there = asyncio.Barrier(3)

    async def handler(request: web.Request) -> web.Response:
        await all_there.wait()
        return web.Response(status=503)

    async with asking(handler) as client:
        told = await asyncio.gather(*(client.instant("up") for _ in range(3)), return_exceptions=True)
    assert [error.retry_in_s for error in told if isinstance(error, QueryError)] == [1, 1, 1]


async def test_a_query_that_took_too_long_there_says_nothing_of_the_others() -> None:
    body = b'{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}'
    async with asking(answers(body, 503)) as client:
        for _ in range(2):
            with pytest.raises(QueryError, match=r"gave the query up .*shorter time") as raised:
                await client.instant("up")
            assert (raised.value.failure, raised.value.retry_in_s) == (Failure.TIMEOUT, None)


async def test_a_renewed_token_holds_from_the_next_query(tmp_path: Path) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.headers["Authorization"], request.headers["X-Scope-OrgID"]))
        return web.Response(body=ONE)

    token, tenant = tmp_path / "token", tmp_path / "tenant"
    tenant.write_text("team-a\n")
    async with asking(handler) as any_client:
        url = any_client.url
        credential = Credential(Origin.of(url), "bearer", file=token)
        target = PrometheusTarget(url, credential=credential, header_files={"X-Scope-OrgID": tenant})
        client = PrometheusClient(target)
        for text in ("old", "new"):
            token.write_text(text)
            await client.instant("up")
        tenant.write_bytes(b"a\nb: c")
        with pytest.raises(QueryError, match="tenant holds no usable value") as unusable:
            await client.instant("up")
        tenant.write_text("team-a")
        token.unlink()
        with pytest.raises(QueryError, match="cannot read the secret file"):
            await client.instant("up")
        await client.close()
    assert unusable.value.failure is Failure.SETTING
    assert seen == [("Bearer old", "team-a"), ("Bearer new", "team-a")]


async def test_a_server_that_is_not_there_is_told_without_pythons_words() -> None:
    client = PrometheusClient(PrometheusTarget("http://127.0.0.1:1/prom"))
    with pytest.raises(QueryError) as raised:
        await client.instant("up")
    await client.close()
    assert str(raised.value) == (
        "127.0.0.1:1/prom cannot be reached (connection refused): is the server running, and is the address right?"
    )
    assert raised.value.failure is Failure.UNREACHABLE


async def test_a_configuration_that_can_be_read_tells_the_scrape_interval() -> None:
    yaml = "global:\n  scrape_interval: 1m\nscrape_configs:\n- job_name: dcgm\n  scrape_interval: 15s\n"

    async def handler(request: web.Request) -> web.Response:
        return web.json_response({"status": "success", "data": {"yaml": yaml}})

    async with asking(handler) as client:
        assert (await client.scrape_interval_s(), await client.scrape_interval_s("dcgm")) == (60, 15)


async def test_else_the_samples_of_a_few_targets_tell_it() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        if request.path.endswith("/status/config"):
            return web.Response(status=404)
        query = str((await request.post())["query"])
        seen.append(query)
        if query.startswith("topk"):
            return web.Response(body=vector_reply([({"__name__": "up", "instance": 'a"\\'}, "1")]))
        return web.Response(body=reply("matrix", [{"metric": {}, "values": [[0, "1"], [14.998, "1"], [30.001, "1"]]}]))

    async with asking(handler) as client:
        assert await client.scrape_interval_s("dcgm") == 15
    assert seen == ['topk(3, up{job="dcgm"})', 'up{instance="a\\"\\\\"}[5m]']


async def test_where_neither_tells_it_the_interval_is_unknown() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=404) if request.method == "GET" else web.Response(body=vector_reply([]))

    async with asking(handler) as client:
        assert await client.scrape_interval_s() is None
