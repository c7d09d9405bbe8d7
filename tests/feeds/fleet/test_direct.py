"""Hosts read directly, over real sockets on loopback: what their pages become, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from collectors.target_lists import Target
from tests.feeds.fleet.fleet_pages import Pages, engine_page, gpu_page, served
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.ledger.fleet.tally import FleetTally, HostTally

INTERVAL_S = 0.05
WITHIN_S = 20.0


class Failures:
    """Wakes whoever waits at each failure of a host."""

    def __init__(self, news: asyncio.Event) -> None:
        self.news = news

    def hello(self, host: str, hello: Hello, at_ms: int) -> None: ...

    def report(self, host: str, report: Report, at_ms: int) -> None: ...

    def failed(self, host: str, problem: str, at_ms: int) -> None:
        self.news.set()


async def once(source: DirectSource, holds: Callable[[FleetTally], bool], pages: Pages) -> FleetTally:
    """The first tally for which it holds; asked for at each request and each failure."""
    source.listen(Failures(pages.news))
    async with asyncio.timeout(WITHIN_S):
        while True:
            pages.news.clear()
            tally = await source.now()
            if holds(tally):
                return tally
            await pages.news.wait()


def host(tally: FleetTally, name: str) -> HostTally:
    return next(each for each in tally.hosts if each.host == name)


def test_pages_of_several_endpoints_are_one_host() -> None:
    async def run() -> None:
        async with served(dcgm=gpu_page(0), vllm=engine_page(0)) as pages:
            targets = [pages.target("/dcgm", "h1", region="eu", cluster="oslo"), pages.target("/vllm", "h1")]
            source = DirectSource(targets, interval_s=INTERVAL_S)
            try:
                tally = await once(source, lambda tally: bool(tally.hosts and tally.hosts[0].flows), pages)
                (one,) = tally.hosts
                assert (one.host, one.up, one.gpus, one.power_w) == ("h1", True, 1, 512.5)
                assert one.flows[0].model == "qwen"
                assert one.clock_skew_ms is None
                pages.bodies |= {"/dcgm": gpu_page(40_000), "/vllm": engine_page(70)}
                tally = await once(source, lambda tally: bool(host(tally, "h1").flows[0].output_tokens), pages)
                assert host(tally, "h1").flows[0].output_tokens == 70
                assert host(tally, "h1").states == ((State.SERVING, 1),)
                assert tally.source == "1 host read directly"
            finally:
                await source.close()

    asyncio.run(run())


def test_region_and_cluster_are_those_of_the_list() -> None:
    async def run() -> None:
        async with served(dcgm=gpu_page(0)) as pages:
            source = DirectSource([pages.target("/dcgm", "h1", region="eu", cluster="oslo")], interval_s=INTERVAL_S)
            try:
                tally = await once(source, lambda tally: bool(tally.hosts), pages)
                assert (tally.hosts[0].region, tally.hosts[0].cluster) == ("eu", "oslo")
            finally:
                await source.close()

    asyncio.run(run())


def test_an_endpoint_that_is_not_there_is_told_and_the_others_go_on() -> None:
    async def run() -> None:
        async with served(dcgm=gpu_page(0)) as pages:
            targets = [pages.target("/dcgm", "h1"), pages.target("/gone", "h2")]
            source = DirectSource(targets, interval_s=INTERVAL_S)
            try:
                tally = await once(source, lambda tally: {"h1", "h2"} == {each.host for each in tally.hosts}, pages)
                assert host(tally, "h1").up
                assert "is not there (HTTP 404)" in host(tally, "h2").problem
                assert [note.ok for note in tally.notes if note.name == "endpoints"] == [False]
                pages.bodies["/gone"] = gpu_page(0, gpu="GPU-b")
                tally = await once(source, lambda tally: host(tally, "h2").up, pages)
            finally:
                await source.close()

    asyncio.run(run())


def test_a_host_that_nobody_listens_at_is_down_in_words() -> None:
    async def run() -> None:
        async with served() as pages:
            target = pages.target("/metrics", "h1")
        source = DirectSource([target], interval_s=INTERVAL_S)
        try:
            tally = await once(source, lambda tally: bool(tally.hosts), pages)
            assert "connection refused" in tally.hosts[0].problem
        finally:
            await source.close()

    asyncio.run(run())


@pytest.mark.parametrize("fast", [True, False])
def test_a_server_that_closes_after_each_answer_is_read_all_the_same(fast: bool) -> None:
    async def run() -> None:
        async with served(dcgm=gpu_page(0)) as pages:
            pages.is_closing = True
            source = DirectSource([pages.target("/dcgm", "h1")], interval_s=INTERVAL_S, fast=fast)
            try:
                await once(source, lambda tally: bool(tally.hosts and tally.hosts[0].length_ms), pages)
                assert len(pages.asked) >= 2
            finally:
                await source.close()

    asyncio.run(run())


def test_a_page_of_something_else_is_told() -> None:
    async def run() -> None:
        async with served(metrics=b"go_goroutines 7\n") as pages:
            source = DirectSource([pages.target("/metrics", "h1")], interval_s=INTERVAL_S)
            try:
                tally = await once(source, lambda tally: bool(tally.hosts), pages)
                assert "a metrics page of nothing that tokwatch knows" in tally.hosts[0].problem
            finally:
                await source.close()

    asyncio.run(run())


def test_a_target_that_cannot_be_asked_is_refused_with_its_name() -> None:
    async def run() -> None:
        with pytest.raises(SourceError, match="h1: no user or password in a URL"):
            DirectSource([Target("user:secret@h1:9400", {"instance": "h1:9400"})])

    asyncio.run(run())


def test_hosts_that_are_only_read_have_no_past() -> None:
    async def run() -> None:
        source = DirectSource([Target("127.0.0.1:1", {})])
        assert await source.span_ms() is None
        with pytest.raises(SourceError, match="tokwatch record --targets"):
            await source.at(0)
        await source.close()

    asyncio.run(run())
