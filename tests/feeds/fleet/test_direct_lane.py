"""Hosts read by the lanes of real agents on loopback: what is said of them, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pytest

from collectors.credential import Credential, Origin
from collectors.target_lists import Target, parse_list
from tests.agent.saying import TLS, TOKEN, Told, statements, telling, tls_of_server, until
from tests.feeds.quiet_box import AdvancedClock
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.direct_lane import MOST_OPENED_S, LaneHost, Opening
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.lane import LaneError
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.ledger.fleet.report_of import Statement
from tokwatch.ledger.fleet.tally import FleetTally

WITHIN_S = 20.0
SAID = statements()


@dataclass
class Heard:
    """Who takes what hosts say, and wakes whoever waits for it."""

    hellos: list[Hello] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    refuses: str = ""  # a hello, with these words
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def hello(self, host: str, hello: Hello, at_ms: int) -> None:
        if self.refuses:
            raise ValueError(self.refuses)
        self.hellos.append(hello)

    def report(self, host: str, report: Report, at_ms: int) -> None:
        self.reports.append(report)
        self.news.set()

    def failed(self, host: str, problem: str, at_ms: int) -> None:
        self.failures.append(problem)
        self.news.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def hears(self, statement: Statement) -> None:
        await self.until(lambda: statement.report in self.reports)

    async def fails(self, times: int = 1) -> None:
        await self.until(lambda: len(self.failures) >= times)


def target(told: Told, host: str = "h1", scheme: str = "http", **labels: str) -> Target:
    told_labels = {"__scheme__": scheme, "__metrics_path__": "/report", "host": host, **labels}
    return Target(str(told.address), told_labels)


@asynccontextmanager
async def reading(
    *targets: Target, clock: Clock | None = None, credentials: tuple[Credential, ...] = ()
) -> AsyncIterator[tuple[DirectSource, Heard]]:
    source, heard = DirectSource(targets, credentials=credentials, clock=clock), Heard()
    source.listen(heard)
    try:
        source.start()
        yield source, heard
    finally:
        await source.close()


@asynccontextmanager
async def listening(opening: Opening, url: str, heard: Heard | None = None) -> AsyncIterator[tuple[LaneHost, Heard]]:
    """One host alone, where what it waits by is told."""
    heard = heard or Heard()
    host = LaneHost("h1", url, opening, heard)
    host.start()
    try:
        yield host, heard
    finally:
        await host.close()


def notes(tally: FleetTally, name: str) -> list[tuple[bool, str]]:
    return [(note.ok, note.found) for note in tally.notes if note.name == name]


async def test_what_an_agent_says_is_its_host() -> None:
    async with (
        telling(SAID[:1]) as told,
        reading(target(told, region="eu", cluster="oslo")) as (source, heard),
    ):
        for statement in SAID[:4]:
            told.board.put_up(statement)
            await heard.hears(statement)
        tally = await source.now()
    (one,) = tally.hosts
    assert (one.host, one.region, one.cluster, one.up, one.gpus) == ("h1", "eu", "oslo", True, 3)
    assert one.agent == SAID[0].hello.version
    assert one.length_ms == SAID[3].report.watched_ms - SAID[0].report.watched_ms
    assert one.clock_skew_ms is not None  # an agent tells its clock, which pages do not
    assert notes(tally, "lanes") == [(True, "1 lane, 1 connected")]
    assert notes(tally, "endpoints") == []
    assert tally.source == "1 host read directly"
    assert tally.cost.bytes > 0


async def test_over_tls_with_the_token_of_the_config(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_bytes(TOKEN)
    async with telling(SAID, token=TOKEN, tls=tls_of_server()) as told:
        origin = Origin("https", told.address.host, told.address.port)
        login = Credential(origin, "bearer", file=token, ca_file=TLS / "server.pem")
        async with reading(target(told, scheme="https"), credentials=(login,)) as (_, heard):
            await heard.hears(SAID[-1])
        async with reading(target(told, scheme="https")) as (source, heard):
            await heard.fails()
            assert "its certificate is not trusted" in (await source.now()).hosts[0].problem


async def test_an_agent_that_is_killed_is_down_in_words_and_read_again_when_it_is_back() -> None:
    clock = AdvancedClock()
    async with telling(SAID[:1]) as told, reading(target(told), clock=clock) as (source, heard):
        await heard.until(lambda: bool(heard.reports))
        await told.server.close()
        await heard.fails()
        tally = await source.now()
        assert not tally.hosts[0].up
        assert str(told.address) in tally.hosts[0].problem
        assert notes(tally, "lanes") == [(False, "1 lane, 0 connected")]
        assert notes(tally, "lane") == [(False, tally.hosts[0].problem)]
        async with telling(SAID[:3], address=told.address):
            await clock.asleep(1)
            clock.advance(1.25)
            await heard.hears(SAID[2])
            tally = await source.now()
    assert tally.hosts[0].up
    assert notes(tally, "lanes") == [(True, "1 lane, 1 connected")]
    assert tally.hosts[0].length_ms == SAID[2].report.watched_ms - SAID[0].report.watched_ms  # what passed is counted


async def test_pauses_grow_to_a_minute() -> None:
    clock = AdvancedClock()
    async with telling(SAID) as told:
        url = f"{told.url}/report"
    async with listening(Opening((), clock, share=lambda: 0.5), url) as (_, heard):
        for failures, pause_s in enumerate((1, 2, 4, 8, 16, 32, 60, 60), 1):
            await clock.asleep(1)
            assert len(heard.failures) == failures
            clock.advance(pause_s - 0.001)
            assert len(heard.failures) == failures
            clock.advance(0.001)
            await heard.fails(failures + 1)


async def test_a_lane_that_was_steady_is_opened_again_at_once() -> None:
    clock = AdvancedClock()
    opening = Opening((), clock, share=lambda: 0.5)
    async with listening(opening, "http://127.0.0.1:1/report") as (host, heard):
        for pause_s in (1, 2, 4):
            await clock.asleep(1)
            clock.advance(pause_s)
        await clock.asleep(1)
        async with telling(SAID) as told:
            host.url = f"{told.url}/report"
            clock.advance(8)
            await heard.until(lambda: bool(heard.reports))
            clock.advance(30)
        await clock.asleep(1)
        failures = len(heard.failures)
        clock.advance(1)
        await heard.fails(failures + 1)


async def test_a_lane_without_a_line_for_five_intervals_is_closed_and_opened_again() -> None:
    clock = AdvancedClock()
    quick = replace(SAID[0], hello=msgspec.structs.replace(SAID[0].hello, interval_s=0.1))
    async with telling([quick]) as told:
        opening = Opening((), clock, least_silence_s=0.0)
        async with listening(opening, f"{told.url}/report") as (_, heard):
            await heard.fails()
            assert heard.failures == [f"{told.address} has been silent for 0.5 s"]
            await until(lambda: told.server.seats.taken == 0)
            clock.advance(1.25)
            await heard.until(lambda: len(heard.reports) == 2)


async def test_another_protocol_is_refused_in_words() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n")
        writer.write(b'{"tokwatch": 2, "version": "9.0"}\n')
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/report"
    async with listening(Opening((), AdvancedClock()), url) as (host, heard):
        await heard.fails()
        server.close()
        words = "runs tokwatch 9.0, which speaks protocol 2; this one speaks 1: bring both to one version"
        assert words in host.problem
        assert heard.failures == [host.problem]


async def test_an_agent_that_contradicts_itself_is_told() -> None:
    async with telling(SAID) as told:
        heard = Heard(refuses="two GPUs of one name")
        async with listening(Opening((), AdvancedClock()), f"{told.url}/report", heard):
            await heard.fails()
    assert heard.failures == [f"{told.address} contradicts itself: two GPUs of one name"]


async def test_lanes_are_opened_a_hundred_a_second() -> None:
    clock = AdvancedClock()
    opening = Opening((), clock)
    asked = [asyncio.create_task(opening.open("http://127.0.0.1:1/report")) for _ in range(MOST_OPENED_S + 1)]
    await clock.asleep(MOST_OPENED_S)
    for tenth in range(1, 11):
        clock.advance(0.1)
        await clock.asleep(MOST_OPENED_S - 10 * tenth)
        waiting = MOST_OPENED_S - 10 * tenth
        await asyncio.wait(asked[: MOST_OPENED_S + 1 - waiting])
        assert sum(not task.done() for task in asked) == waiting
    failed = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in failed} == {LaneError}


async def test_closing_ends_every_lane() -> None:
    async with telling(SAID) as told:
        async with reading(target(told, "h1"), target(told, "h2")) as (source, heard):
            await heard.until(lambda: len(heard.reports) == 2)
            assert told.server.seats.taken == 2
        assert all(lane.has_ended for lane in source.lanes.values())


def test_a_plain_line_can_name_a_lane() -> None:
    source = DirectSource(parse_list("http://h1:9476/report, http://h2:9476/metrics"))
    assert [*source.lanes] == ["h1"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("http://h1:9476/report, http://h1:9400/metrics", "h1 is named by a lane .* and by pages"),
        ("http://h1:9476/report, http://h1:9477/report", "h1 has two lanes"),
    ],
)
def test_a_host_that_would_be_counted_twice_is_refused(lines: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        DirectSource(parse_list(lines))
