"""What the source does when the server fails, warns or is asked about the past; the server is a table of answers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import pytest

from collectors.prometheus.answers import Matrix, Vector
from collectors.prometheus.expressions import FIGURE
from collectors.prometheus.query_error import QueryError
from collectors.scrape_error import Failure
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.prometheus import PrometheusSource
from tokwatch.ledger.fleet.tally import HostKey

AT_S = 1_790_000_000.0


class Answering:
    """A PrometheusApi of one host, whose queries fail where they hold one of `failing`."""

    url = "http://prom:9090"

    def __init__(self) -> None:
        self.failing: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.at_s = AT_S
        self.names: tuple[str, ...] = ("DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_FB_USED")
        self.clusters: tuple[str, ...] = ()
        self.asked: list[str] = []
        self.ranges: list[str] = []
        self.closed = False

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        self._ask(query)
        if query == "time()":
            return Vector(({},), (self.at_s,), self.at_s)
        at_s = at_s or self.at_s
        figures = {
            "power_w": 400.0,
            "power_gpus": 1.0,
            "memory_used_bytes": 2.0**30,
            "gpu_newest": at_s,
            "gpu_length": 60.0,
        }
        there = {f"{figure}": value for figure, value in figures.items() if f'"{FIGURE}","{figure}"' in query}
        rows = [({FIGURE: figure, "tw_host": "h1"}, value) for figure, value in there.items()]
        if f'"{FIGURE}","gpu_targets"' in query:
            rows.append(({FIGURE: "gpu_targets", "tw_host": "h1", "job": "dcgm", "instance": "h1:9400"}, 1.0))
        labels, values = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
        return Vector(labels, values, at_s, self.warnings, bytes=100)

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        self.ranges.append(query)
        if any(words in query for words in self.failing):
            raise QueryError("prom:9090 gave the query up", Failure.TIMEOUT)
        return Matrix((), (), (), bytes=10)

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        self._ask(f"label {label}")
        return {"__name__": self.names, "job": ("dcgm",), "cluster": self.clusters}.get(label, ())

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        return 15.0

    async def samples(self, query: str, at_s: float) -> Matrix:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True

    def _ask(self, query: str) -> None:
        self.asked.append(query)
        if any(words in query for words in self.failing):
            raise QueryError("prom:9090 gave the query up", Failure.TIMEOUT)


@pytest.fixture
def api() -> Answering:
    return Answering()


@pytest.fixture
def source(api: Answering) -> PrometheusSource:
    return PrometheusSource(api)


async def test_one_look_is_a_dozen_queries_and_knows_what_they_cost(api: Answering, source: PrometheusSource) -> None:
    await source.now()
    api.asked.clear()
    api.at_s += 15
    tally = await source.now()
    assert tally.cost.queries == len(api.asked) <= 14
    assert tally.cost.bytes >= 300
    assert (source.interval_s, tally.window_ms) == (15.0, 60_000)


async def test_names_are_not_looked_for_with_every_look(api: Answering, source: PrometheusSource) -> None:
    await source.now()
    await source.now()
    assert api.asked.count("label __name__") == 1


async def test_what_changes_slowly_is_asked_seldom_until_a_host_is_new(
    api: Answering, source: PrometheusSource
) -> None:
    await source.now()  # h1 has no model yet
    api.asked.clear()
    await source.now()
    assert any('"tw_figure","gpus"' in query for query in api.asked)


async def test_a_part_that_fails_stands_as_it_was_and_says_so(api: Answering, source: PrometheusSource) -> None:
    await source.now()
    api.failing = ("FB_USED",)
    api.at_s += 75
    tally = await source.now()
    (host,) = tally.hosts
    assert (host.power_w, host.memory_used_mib) == (400.0, 1024)
    (note,) = (note for note in tally.notes if note.name == "sensors")
    assert (note.ok, note.found, note.hint) == (False, "prom:9090 gave the query up", "shown as of 75 s ago")


async def test_a_part_that_fails_for_long_is_not_shown_any_more(api: Answering, source: PrometheusSource) -> None:
    await source.now()
    api.failing = ("FB_USED",)
    api.at_s += 600
    tally = await source.now()
    assert tally.hosts[0].memory_used_mib is None
    assert [note.hint for note in tally.notes if note.name == "sensors"] == ["not shown"]


async def test_a_server_that_answers_nothing_is_an_error(api: Answering, source: PrometheusSource) -> None:
    api.failing = ("",)
    with pytest.raises(SourceError, match="prom:9090 gave the query up"):
        await source.now()
    with pytest.raises(SourceError, match="prom:9090 gave the query up"):
        await source.at(1_790_000_000_000)
    with pytest.raises(SourceError, match="prom:9090 gave the query up"):
        await source.span_ms()


async def test_names_that_cannot_be_looked_for_again_stay_as_they_were(api: Answering) -> None:
    now_s = 0.0
    source = PrometheusSource(api, clock_s=lambda: now_s)
    await source.now()
    now_s = 1000.0
    api.failing = ("label __name__",)
    tally = await source.now()
    assert tally.hosts[0].power_w == 400.0
    assert [note.found for note in tally.notes if note.name == "names"] == ["prom:9090 gave the query up"]


async def test_warnings_of_partial_answers_are_told_once(api: Answering, source: PrometheusSource) -> None:
    api.warnings = ("store-3 did not answer",)
    assert (await source.now()).warnings == ("store-3 did not answer",)


async def test_places_are_looked_for_only_where_a_label_tells_them(api: Answering, source: PrometheusSource) -> None:
    await source.now()
    assert not any("> 1" in query for query in api.asked)
    api.clusters = ("a", "b")
    other = PrometheusSource(api)
    await other.now()
    assert any("> 1" in query for query in api.asked)
    assert not any("label_join" in query for query in api.asked)  # no name stands in both


async def test_whether_names_are_unique_is_not_guessed(api: Answering, source: PrometheusSource) -> None:
    api.clusters, api.failing = ("a", "b"), ("> 1",)
    with pytest.raises(SourceError, match="gave the query up"):
        await source.now()


async def test_how_the_server_is_asked_is_told_with_every_answer(api: Answering) -> None:
    source = PrometheusSource(api, notices=("prom:9090: certificates are not checked",))
    assert (await source.now()).notices == ("prom:9090: certificates are not checked",)
    api.names = ("node_load1",)
    assert (await source.at(0)).notices == ("prom:9090: certificates are not checked",)


async def test_a_server_without_anything_known_says_what_was_looked_for(
    api: Answering, source: PrometheusSource
) -> None:
    api.names = ("node_load1",)
    tally = await source.now()
    assert tally.hosts == ()
    assert "no series of any meter or engine" in tally.notes[0].found
    assert await source.span_ms() is None


async def test_the_past_keeps_nothing_of_the_present(api: Answering, source: PrometheusSource) -> None:
    await source.now()
    api.failing = ("FB_USED",)
    tally = await source.at(round(AT_S * 1000) - 3_600_000)
    assert tally.hosts[0].memory_used_mib is None
    assert tally.at_ms == round(AT_S * 1000) - 3_600_000


def test_a_host_is_looked_into_by_a_program_of_its_own(source: PrometheusSource) -> None:
    door = source.door(HostKey("-rf"), None)
    assert door is not None
    assert door.argv == (sys.executable, "-m", "tokwatch", "--prometheus", "http://prom:9090", "--host=-rf")
    past = source.door(HostKey("h1"), 1_790_000_000_500)
    assert past is not None
    assert past.argv[3:] == (
        "replay", "--prometheus", "http://prom:9090", "--host=h1", "--at=2026-09-21T14:13:20.500+00:00",
    )  # fmt: skip


async def test_closing_closes_the_connection(api: Answering, source: PrometheusSource) -> None:
    await source.close()
    assert api.closed


async def test_nobody_waits_for_the_trend_of_a_live_fleet(api: Answering, source: PrometheusSource) -> None:
    assert len((await source.now()).trend) == 1
    assert api.ranges == []  # it is asked for beside
    await asyncio.sleep(0)
    assert len((await source.now()).trend) == 30
    assert len(api.ranges) == 1


async def test_a_server_that_cannot_give_a_trend_is_left_alone_with_it(api: Answering) -> None:
    now_s = 0.0
    source = PrometheusSource(api, clock_s=lambda: now_s)
    api.failing = ("tw_part",)
    for at_s, asked in ((0.0, 1), (15.0, 1), (400.0, 2)):
        now_s = at_s
        await source.now()
        await asyncio.sleep(0)
        assert len(api.ranges) == asked
    await source.close()


async def test_why_a_live_fleet_has_no_charts_is_told_until_it_has(api: Answering) -> None:
    now_s = 0.0
    source = PrometheusSource(api, clock_s=lambda: now_s)
    told = []
    for at_s, failing in ((0.0, ("tw_part",)), (15.0, ()), (400.0, ()), (415.0, ())):
        now_s, api.failing = at_s, failing
        told.append([note.hint for note in (await source.now()).notes if note.name == "trend"])
        await asyncio.sleep(0)
    assert told == [[], ["not shown"], ["not shown"], []]
    await source.close()
