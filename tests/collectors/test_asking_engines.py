"""What engines are asked about themselves with, and what their answers cannot do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from collectors.credential import Credential, Origin
from collectors.readings import UNNAMED
from collectors.scrape import Scraper
from collectors.servers import ServerCollector
from tests.collectors.page_server import serving
from tests.collectors.test_servers import Box, Clock, facts

VLLM = 'vllm:generation_tokens_total{model_name="m"} 5\nprocess_start_time_seconds 1795262000\n'


class Asked(Box):
    """Remembers with which log-in each of its paths was asked for."""

    def __init__(self, **answers: str | int) -> None:
        super().__init__(**answers)
        self.logins: dict[str, str | None] = {}

    async def __call__(self, request: web.Request) -> web.Response:
        self.logins[request.path] = request.headers.get("Authorization")
        return await super().__call__(request)


@pytest.mark.parametrize(("origin", "login"), [("config", "Bearer s3cret"), ("found", None)])
async def test_an_engine_gets_a_credential_only_where_the_config_names_it(
    tmp_path: Path, origin: str, login: str | None
) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    clock, box = Clock(), Asked(metrics=VLLM, version='{"version": "1"}')
    async with serving(box) as base:
        credential = Credential(Origin.of(base), "bearer", file=tmp_path / "token")
        collector = ServerCollector(Scraper([credential], now_ns=clock.now_ns), now_ns=clock.now_ns, sleep=clock.sleep)
        collector.set_servers([replace(facts(base), origin=origin)])
        await clock.until_asleep()
        await collector.close()
    assert box.logins == {"/metrics": login, "/version": login}


@pytest.mark.parametrize(
    "answer",
    [301, 401, 500, "<html></html>", "[]", '{"version":' + "[" * 100_000, '{"version": "' + "x" * 2**21 + '"}'],
)
async def test_no_answer_of_an_engine_costs_its_page(answer: str | int) -> None:
    clock = Clock()
    async with serving(Box(metrics=VLLM, version=answer)) as base:
        collector = ServerCollector(Scraper(now_ns=clock.now_ns), now_ns=clock.now_ns, sleep=clock.sleep)
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        (reading,) = collector.drain()
        await collector.close()
    assert reading.ok
    assert reading.facts == ()


async def test_a_name_that_another_flow_has_already_is_given_to_no_second_one() -> None:
    """Two flows of one name would be two entries for one entity, which the store does not take."""
    page = VLLM + 'vllm:generation_tokens_total{model_name=""} 7\n'
    clock = Clock()
    async with serving(Box(metrics=page)) as base:
        collector = ServerCollector(Scraper(now_ns=clock.now_ns), now_ns=clock.now_ns, sleep=clock.sleep)
        collector.set_servers([replace(facts(base), model="m")])
        await clock.until_asleep()
        (reading,) = collector.drain()
        await collector.close()
    assert [(flow.model, flow.output_tokens) for flow in reading.flows] == [(UNNAMED, 7), ("m", 5)]
